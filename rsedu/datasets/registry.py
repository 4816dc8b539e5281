"""Which data sets can be fetched: size, licence, attribution, address, checksum."""

from dataclasses import dataclass

from rsedu.errors import InputError

_EUROSAT = (
    "https://hf.co/datasets/torchgeo/eurosat/resolve/1ce6f1bfb56db63fd91b6ecc466ea67f2509774c/"
)
_HELBER = (
    "P. Helber, B. Bischke, A. Dengel, D. Borth: EuroSAT: A Novel Dataset and Deep Learning "
    "Benchmark for Land Use and Land Cover Classification. IEEE JSTARS 12(7), 2019. "
    "Contains modified Copernicus Sentinel data."
)
_NO_DIGEST = "none published; SHA-256 kept at the first download"


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One file that can be fetched.

    Attributes:
        name: what `rsedu data get` calls it.
        about: what is in it, in one line.
        address: of the file; of a Zenodo record's file, see `record`.
        file: its name on disk.
        size: in words, shown before it is fetched; says so where it is an estimate of ours.
        digest: "md5:..." as published; None: none is, so the SHA-256 of the first download is
            written beside it, and `verify` compares against that.
        licence: of the data.
        attribution: what a figure or report made from it has to say.
        page: where it is described.
        record: Zenodo record that tells address, size and checksum; "" where none does.
        size_bytes: exact, where a record told it.
    """

    name: str
    about: str
    address: str
    file: str
    size: str
    digest: str | None
    licence: str
    attribution: str
    page: str
    record: str = ""
    size_bytes: int | None = None


SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            name="eurosat-ms",
            about="27000 patches of 64 x 64 px, Sentinel-2 L1C, 13 bands, 10 classes",
            address=_EUROSAT + "EuroSATallBands.zip",
            file="EuroSATallBands.zip",
            size="about 2 GB (our estimate)",
            digest="md5:5ac12b3b2557aa56e1826e981e8e200e",
            licence="MIT",
            attribution=_HELBER,
            page="https://zenodo.org/records/7711810",
        ),
        DataSet(
            name="eurosat-ms-100",
            about="100 patches of eurosat-ms, 10 of each class",
            address=_EUROSAT + "EuroSAT100.zip",
            file="EuroSAT100.zip",
            size="10 MB or less (our estimate)",
            digest="md5:c21c649ba747e86eda813407ef17d596",
            licence="MIT",
            attribution=_HELBER,
            page="https://hf.co/datasets/torchgeo/eurosat",
        ),
        DataSet(
            name="eurosat-sar",
            about="Sentinel-1 VV and VH of the same 27000 patches, paired by name",
            address="https://huggingface.co/datasets/wangyi111/EuroSAT-SAR/resolve/main/"
            "EuroSAT-SAR.zip",
            file="EuroSAT-SAR.zip",
            size="922 MB",
            digest=None,
            licence="MIT",
            attribution="Y. Wang, H. Hernandez Hernandez, C. M. Albrecht, X. X. Zhu: Feature "
            "Guided Masked Autoencoder for Self-supervised Learning in Remote Sensing, 2023. "
            "Contains modified Copernicus Sentinel data.",
            page="https://huggingface.co/datasets/wangyi111/EuroSAT-SAR",
        ),
        DataSet(
            name="amazon-forest",
            about="Amazon and Atlantic Forest, Sentinel-2 L2A, 512 x 512 px, masks of forest",
            address="",
            file="",
            size="told by the record when fetched",
            digest=None,
            licence="as the Zenodo record says",
            attribution="L. Bragagnolo, R. V. da Silva, J. M. V. Grzybowski: Amazon and Atlantic "
            "Forest image datasets for semantic segmentation, 2021, doi 10.5281/zenodo.4498086. "
            "Contains modified Copernicus Sentinel data.",
            page="https://zenodo.org/records/4498086",
            record="https://zenodo.org/api/records/4498086",
        ),
    )
}


def find(name: str) -> DataSet:
    """Return a data set by name.

    Raises:
        InputError: there is none; the message lists all.
    """
    if name not in SETS:
        raise InputError(f"There is no data set {name!r}; wanted one of {', '.join(SETS)}.")
    return SETS[name]


def render() -> str:
    """Return the catalogue as text: one paragraph for each set."""
    lines = []
    for name, data_set in SETS.items():
        later = "told by the record when fetched" if data_set.record else _NO_DIGEST
        lines += [
            f"{name}: {data_set.about}",
            f"    size: {data_set.size}",
            f"    licence: {data_set.licence}",
            f"    checksum: {data_set.digest or later}",
            f"    from: {data_set.page}",
            f"    attribution: {data_set.attribution}",
        ]
    lines.append("torchgeo:CLASS: any data set of torchgeo that it can download (needs torchgeo)")
    return "\n".join(lines)
