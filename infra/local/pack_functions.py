"""Packs each function that `sam build` has built, and makes the built template name the archives.

`sam deploy` would pack the folders for each stack again, which takes most of its processor time. It also reads the YAML template
repeatedly, which takes most of the rest: so this writes the template as JSON, which is YAML, too.

Runs with the Python of the `sam` tool set. Usage: python pack_functions.py TEMPLATE
"""

import json
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from samcli.yamlhelper import yaml_parse

# A regular file that every user may read and run. Source: inode(7), "The file type and mode".
_EXECUTABLE = 0o100755
# Unix in an archive's field "version made by". Source: APPNOTE.TXT of PKWARE.
_UNIX = 3


def main(template_path: str) -> None:
    built = Path(template_path)
    template = yaml_parse(built.read_text(encoding="utf-8"))
    functions = [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    with ThreadPoolExecutor() as pool:
        archives = list(pool.map(_pack, (built.parent / function["CodeUri"] for function in functions)))
    for function, archive in zip(functions, archives):
        function["CodeUri"] = archive.name
    built.write_text(json.dumps(template, indent=1), encoding="utf-8")


def _pack(folder: Path) -> Path:
    """The archive of a function, next to its folder. It depends only on the function, so stacks share one upload."""
    entry = zipfile.ZipInfo("bootstrap")
    entry.create_system, entry.external_attr = _UNIX, _EXECUTABLE << 16
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as opened:
        # Takes a quarter of the default's time; archives are a sixth larger.
        opened.writestr(entry, (folder / "bootstrap").read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=1)
    return archive


main(*sys.argv[1:])
