"""What annotators see: the labelling config of frames, and the check that a server's config still is ours."""

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from al_platform.errors import InvalidInput

BOXES, REJECT, IMAGE = "boxes", "reject", "image"
"""Names of the controls and of the picture; what comes back refers to them."""

REJECTIONS = ("cannot label", "blurred", "privacy")

Controls = dict[str, tuple[str, tuple[str, ...]]]
"""Controls by name: their tag and the values one can choose."""

COLOURS = ("#0067a5", "#b86e00", "#00805a", "#c4440c", "#9b4f8e", "#2089b5", "#73562c", "#6f7d12")
_LONGEST_CLASS = 100


def frame_config(classes: Sequence[str]) -> str:
    """Give the config for boxes of these classes over a frame, beside its heatmap, or a reason to reject it.

    Raises: InvalidInput for no class, or a class that a config cannot name.
    """
    _require_names(classes)
    view = Element("View")
    SubElement(view, "Header", value="Frame $rank, picked for: $for_class")
    pictures = SubElement(view, "View", style="display: flex; gap: 8px")
    SubElement(SubElement(pictures, "View", style="flex: 2"), "Image", name=IMAGE, value="$image", zoom="true")
    beside = SubElement(pictures, "View", style="flex: 1")
    SubElement(beside, "Header", value="Where the models disagree", size="6")
    SubElement(beside, "Image", name="heatmap", value="$heatmap")
    boxes = SubElement(view, "RectangleLabels", name=BOXES, toName=IMAGE, canRotate="false", strokeWidth="2")
    for index, name in enumerate(classes):
        SubElement(boxes, "Label", value=name, background=COLOURS[index % len(COLOURS)])
    SubElement(view, "Header", value="Reject the frame instead:", size="6")
    reject = SubElement(view, "Choices", name=REJECT, toName=IMAGE, choice="single", showInline="true")
    for reason in REJECTIONS:
        SubElement(reject, "Choice", value=reason)
    return ElementTree.tostring(view, encoding="unicode")


def controls_of(config: str) -> Controls:
    """Give the controls of a config.

    Raises: InvalidInput where it is no XML.
    """
    try:
        root = ElementTree.fromstring(config)
    except ElementTree.ParseError as error:
        raise InvalidInput(f"labelling config: is no XML ({error})") from error
    return {
        node.attrib.get("name", ""): (node.tag, tuple(_values(node))) for node in root.iter() if "toName" in node.attrib
    }


def config_problems(config: str, wanted: str) -> list[str]:
    """Say in which way a config lacks controls or values of the one that is wanted; empty where it has them all."""
    there, problems = controls_of(config), []
    for name, (tag, values) in controls_of(wanted).items():
        if there.get(name, ("", ()))[0] != tag:
            problems.append(f"lacks the {tag} control {name!r}")
            continue
        lost = [value for value in values if value not in there[name][1]]
        if lost:
            problems.append(f"control {name!r} lacks {', '.join(lost)}")
    return problems


def _values(node: Element) -> list[str]:
    return [child.attrib.get("value", "") for child in node if child.tag in ("Label", "Choice")]


def _require_names(classes: Sequence[str]) -> None:
    if not classes:
        raise InvalidInput("labelling config: no classes; name at least one")
    for name in classes:
        if not name.strip() or len(name) > _LONGEST_CLASS or not name.isprintable() or "$" in name:
            raise InvalidInput(
                f"class {name!r}: Label Studio cannot show it; use 1 to {_LONGEST_CLASS} printable characters, no $"
            )
