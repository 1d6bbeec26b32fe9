"""Hot tiers: made, listed, dropped."""

from dataclasses import dataclass

from al_platform.catalog.datasets import version_items
from al_platform.catalog.frames import frames_by_id, frames_matching, move_to_tier
from al_platform.errors import InvalidInput
from al_platform.models.records import Unreadable
from al_platform.platform.home import Platform
from al_platform.storage.cache import BlobReader, cached
from al_platform.training.tiers import HotTiers, ImageSize, Tier, TierSpec


@dataclass(frozen=True)
class HeatReport:
    """A tier as it is now, and the frames that it lacks because they cannot be read."""

    tier: Tier
    unreadable: Unreadable


def heat_tier(
    platform: Platform, *, filter_text: str = "", version_id: str = "", image: ImageSize = None
) -> HeatReport:
    """Copy the frames of a filter or of a dataset version to the local disk, as files or decoded to a size.

    Raises: InvalidInput unless exactly one of both is given, or where no frame matches; NotFound for an unknown
        version; StorageUnavailable when the archive does not answer or the disk is full.
    """
    described = _described(filter_text, version_id)
    images = _images(platform, filter_text, version_id)
    if not images:
        raise InvalidInput(f"{described}: no frame matches; `alp frames` shows what there is")
    tiers, spec = HotTiers(platform.settings.hot_folder), TierSpec(described, image, len(images))
    unreadable = tiers.heat(spec, images, blobs=platform.blobs, report=platform.report)
    (tier,) = (tier for tier in tiers.all() if tier.spec.tier_id == spec.tier_id)
    return HeatReport(tier, unreadable)


def note_tier(platform: Platform, filter_text: str, tier: str) -> int:
    """Note in which storage tier the pixels of the frames lie that a filter matches; gives how many moved.

    Raises: InvalidInput for an unknown tier, or a filter that does not parse.
    """
    with platform.catalog.transaction() as tx:
        return move_to_tier(tx, filter_text, tier)


def list_tiers(platform: Platform) -> list[Tier]:
    """Give every tier."""
    return HotTiers(platform.settings.hot_folder).all()


def drop_tier(platform: Platform, tier_id: str) -> None:
    """Delete a tier.

    Raises: NotFound for an id that no tier has.
    """
    HotTiers(platform.settings.hot_folder).drop(tier_id)


def cached_images(platform: Platform) -> BlobReader:
    """Give the reader of images: the storage itself where it is local, else through a cache on the local disk."""
    settings = platform.settings
    return cached(platform.blobs, settings.blob_cache_folder, limit_bytes=settings.blob_cache_bytes)


def _described(filter_text: str, version_id: str) -> str:
    if bool(filter_text) == bool(version_id):
        raise InvalidInput("a tier holds the frames of a filter or of a dataset version: give one of them, not both")
    return version_id or filter_text


def _images(platform: Platform, filter_text: str, version_id: str) -> dict[str, str]:
    with platform.catalog.transaction() as tx:
        if filter_text:
            table = frames_matching(tx, filter_text)
            return dict(zip(table["item_id"].to_pylist(), table["image_hash"].to_pylist(), strict=True))
        frame_ids = [item.item_id for item in version_items(tx, platform.blobs, version_id)]
        return {frame_id: frame.image.hash for frame_id, frame in frames_by_id(tx, frame_ids).items()}
