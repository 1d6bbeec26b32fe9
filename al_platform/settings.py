"""Settings: the environment, read once."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from al_platform.domain.jobs import Cluster
from al_platform.errors import InvalidInput

DEFAULT_HOME = ".alp"

_GB = 10**9
HOOK_PATH = "/v1/hooks/label-studio"
SHORTEST_SECRET = 16


@dataclass(frozen=True)
class HookSettings:
    """Where Label Studio finds this service to say that somebody answered, and the secret by which it is known."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class LabelStudioSettings:
    """A Label Studio server, and how many people label each frame there."""

    url: str
    token: str = field(repr=False)
    answers: int = 1
    hook: HookSettings | None = None
    """None where ALP_HOOK_SECRET is not set: answers are found when they are looked for."""
    poll_s: float = 300.0
    """How often a service looks for answers that no hook told of (ALP_LABEL_STUDIO_POLL_S)."""
    timeout_s: float = 120.0
    """How long an answer is waited for (ALP_LABEL_STUDIO_TIMEOUT_S): thousands of tasks take the server minutes."""
    picture_days: int = 30
    """How long the pictures of a task are shown after its labels were appended (ALP_LABEL_STUDIO_PICTURE_DAYS)."""


@dataclass(frozen=True)
class Settings:
    """Where everything is kept. `storage_url` is a folder under the home unless ALP_STORAGE names another place."""

    home: Path
    storage_url: str
    blob_cache_bytes: int = 20 * _GB
    """What blobs of a remote storage may take on the local disk (ALP_CACHE_GB)."""
    memory_bytes: int = 4 * _GB
    """Records of a dataset version beyond this are streamed from the disk, not held in memory (ALP_MEMORY_GB)."""
    label_studio: LabelStudioSettings | None = None
    """The labelling server; None where ALP_LABEL_STUDIO_URL is not set."""
    browser_url: str = ""
    """Where people's browsers reach `alp serve` (ALP_BROWSER_URL), so that labelling tasks can link to its pictures."""
    compute: str = "local"
    """Where a service has its heavy work done (ALP_COMPUTE): in processes of this machine, or on a `ray` cluster."""
    cluster: Cluster | None = None
    """The Ray cluster; None where ALP_RAY_ADDRESS is not set."""
    workflows: str = field(default="", repr=False)
    """PostgreSQL address of what the service has under way (ALP_WORKFLOWS_URL); empty: a file under the home."""

    @property
    def catalog_path(self) -> Path:
        """The DuckDB file."""
        return self.home / "catalog.duckdb"

    @property
    def workflows_url(self) -> str:
        """What the service has under way."""
        return self.workflows or f"sqlite:///{self.home / 'workflows.sqlite'}"

    @property
    def sealed_url(self) -> str:
        """Answers that nobody bought yet."""
        return str(self.home / "sealed")

    @property
    def cache_folder(self) -> Path:
        """What can be computed again."""
        return self.home / "cache"

    @property
    def blob_cache_folder(self) -> Path:
        """Blobs of a remote storage."""
        return self.cache_folder / "blobs"

    @property
    def hot_folder(self) -> Path:
        """Frames kept at hand until they are dropped."""
        return self.home / "hot"

    @property
    def scenarios_folder(self) -> Path:
        """Prepared scenarios, which load by memory map and can be ingested again."""
        return self.home / "scenarios"

    @property
    def runs_folder(self) -> Path:
        """Checkpoints of trainings that are under way."""
        return self.home / "runs"

    @property
    def jobs_folder(self) -> Path:
        """Heavy work in processes of its own, a folder for each job."""
        return self.home / "jobs"

    @property
    def reports_folder(self) -> Path:
        """Reports, a folder for each experiment."""
        return self.home / "reports"


@dataclass(frozen=True)
class OidcSettings:
    """Whose bearer tokens are taken: `jwks` is the file or https URL of the issuer's keys."""

    issuer: str
    audience: str
    jwks: str


@dataclass(frozen=True)
class ServiceSettings:
    """How the HTTP service listens, and what it lets through."""

    host: str = "127.0.0.1"
    port: int = 8765
    dev: bool = False
    """No keys are asked for; on loopback only."""
    oidc: OidcSettings | None = None
    requests_per_second: float = 50.0
    """Per key, on average."""
    burst: int = 100
    """Per key, at once."""
    failures_per_minute: int = 20
    """Of authentication, per address."""
    largest_body: int = 2**20
    """Of a request, in bytes."""

    def __post_init__(self) -> None:
        """Refuse what cannot be listened on, or lets nobody in."""
        if not 0 <= self.port < 65536:
            raise InvalidInput(f"port {self.port}: must be at least 0 (any free one) and below 65536")
        if self.dev and self.host not in LOOPBACK:
            raise InvalidInput(f"--dev on {self.host}: asks nobody for a key, so it listens on 127.0.0.1 alone")
        if self.requests_per_second <= 0 or self.burst < 1:
            raise InvalidInput(
                f"{self.requests_per_second:g} requests per second, {self.burst} at once: must be above 0"
            )


@dataclass(frozen=True)
class Remote:
    """A server that commands go to instead of a home."""

    url: str
    key: str


def read_remote(url: str | None = None, key: str | None = None) -> Remote | None:
    """Give the server: what is given wins over ALP_SERVER and ALP_KEY; None where neither names one."""
    chosen = url or os.environ.get("ALP_SERVER")
    return Remote(chosen, key or os.environ.get("ALP_KEY") or "") if chosen else None


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def read_service_settings(*, host: str, port: int, dev: bool) -> ServiceSettings:
    """Give how the service runs: the command line, and ALP_OIDC_ISSUER, _AUDIENCE, _JWKS, ALP_REQUESTS_PER_SECOND,
    ALP_BURST, ALP_LARGEST_BODY.

    Raises: InvalidInput for a number that does not parse, or an issuer without audience or keys.
    """
    return ServiceSettings(
        host=host,
        port=port,
        dev=dev,
        oidc=_oidc(),
        requests_per_second=_number("ALP_REQUESTS_PER_SECOND", ServiceSettings.requests_per_second),
        burst=int(_number("ALP_BURST", ServiceSettings.burst)),
        largest_body=int(_number("ALP_LARGEST_BODY", ServiceSettings.largest_body)),
    )


def _oidc() -> OidcSettings | None:
    names = ("ALP_OIDC_ISSUER", "ALP_OIDC_AUDIENCE", "ALP_OIDC_JWKS")
    values = [os.environ.get(name) or "" for name in names]
    if not any(values):
        return None
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        raise InvalidInput(f"{', '.join(missing)}: not set; tokens need issuer, audience and keys")
    return OidcSettings(*values)


def _number(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{name} {text!r}: must be a number") from None


def read_settings(home: Path | None = None) -> Settings:
    """Give the settings: `home` wins over ALP_HOME, which wins over `.alp` in the working folder.

    A variable that is set to nothing counts as unset.

    Raises: InvalidInput for a size that is no number above 0, a labelling server without a token, a number of people,
        days or processors that is none, an address that is none, or a database for workflows that is no PostgreSQL.
    """
    chosen = home or Path(os.environ.get("ALP_HOME") or DEFAULT_HOME)
    absolute = chosen.expanduser().absolute()
    return Settings(
        home=absolute,
        storage_url=os.environ.get("ALP_STORAGE") or str(absolute / "blobs"),
        blob_cache_bytes=_gigabytes("ALP_CACHE_GB", Settings.blob_cache_bytes),
        memory_bytes=_gigabytes("ALP_MEMORY_GB", Settings.memory_bytes),
        label_studio=_label_studio(),
        browser_url=_address("ALP_BROWSER_URL"),
        compute=os.environ.get("ALP_COMPUTE") or Settings.compute,
        cluster=_cluster(),
        workflows=_workflows(),
    )


def _gigabytes(name: str, otherwise: int) -> int:
    text = os.environ.get(name)
    if not text:
        return otherwise
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = math.nan
    if not 0.0 < gigabytes < math.inf:
        raise InvalidInput(f"{name}={text}: must be a number of gigabytes above 0")
    return int(gigabytes * _GB)


def _cluster() -> Cluster | None:
    if not (address := _address("ALP_RAY_ADDRESS")):
        return None
    return Cluster(address, _number("ALP_RAY_CPUS", 1.0), _number("ALP_RAY_GPUS", 0.0))


def _workflows() -> str:
    url = os.environ.get("ALP_WORKFLOWS_URL", "")
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise InvalidInput("ALP_WORKFLOWS_URL: must begin with postgresql://; leave it out for a file under the home")
    return url


def _label_studio() -> LabelStudioSettings | None:
    url, token = os.environ.get("ALP_LABEL_STUDIO_URL", ""), os.environ.get("ALP_LABEL_STUDIO_TOKEN", "")
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise InvalidInput(f"ALP_LABEL_STUDIO_URL {url!r}: must begin with http:// or https://")
    if not token:
        raise InvalidInput(f"ALP_LABEL_STUDIO_URL {url} without ALP_LABEL_STUDIO_TOKEN: set the token of your account")
    answers = _count("ALP_LABEL_STUDIO_ANSWERS", LabelStudioSettings.answers, of="people")
    days = _count("ALP_LABEL_STUDIO_PICTURE_DAYS", LabelStudioSettings.picture_days, of="days")
    poll_s = _number("ALP_LABEL_STUDIO_POLL_S", LabelStudioSettings.poll_s)
    timeout_s = _number("ALP_LABEL_STUDIO_TIMEOUT_S", LabelStudioSettings.timeout_s)
    for name, seconds in (("POLL", poll_s), ("TIMEOUT", timeout_s)):
        if not 1.0 <= seconds < math.inf:
            raise InvalidInput(f"ALP_LABEL_STUDIO_{name}_S {seconds:g}: must be at least 1 second")
    return LabelStudioSettings(url, token, answers, _hook(), poll_s, timeout_s, days)


def _hook() -> HookSettings | None:
    secret, public = os.environ.get("ALP_HOOK_SECRET", ""), _address("ALP_PUBLIC_URL")
    if not secret:
        return None
    if len(secret) < SHORTEST_SECRET:
        raise InvalidInput(f"ALP_HOOK_SECRET of {len(secret)} characters: must have at least {SHORTEST_SECRET}")
    if not public:
        raise InvalidInput(
            f"ALP_HOOK_SECRET with ALP_PUBLIC_URL {public!r}: set the address under which Label Studio finds this "
            "service, beginning with http:// or https://"
        )
    return HookSettings(public + HOOK_PATH, secret)


def _count(name: str, otherwise: int, *, of: str) -> int:
    text = os.environ.get(name) or str(otherwise)
    if not text.isdecimal() or int(text) < 1:
        raise InvalidInput(f"{name} {text!r}: must be a whole number of {of}, at least 1")
    return int(text)


def _address(name: str) -> str:
    url = os.environ.get(name, "")
    if url and not url.startswith(("http://", "https://")):
        raise InvalidInput(f"{name} {url!r}: must begin with http:// or https://")
    return url.rstrip("/")
