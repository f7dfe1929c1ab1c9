"""Creates, fills, reads and drops a table, and tries what is outside of it; prints what became of each step."""
import json
import sys

import pyarrow
from pyarrow.fs import FileSelector
from pyiceberg.catalog import load_catalog

given = json.load(sys.stdin)


def outcome(call):
    """`allowed`, `denied`, or what else went wrong."""
    try:
        call()
        return "allowed"
    except Exception as error:
        return "denied" if "ACCESS_DENIED" in str(error) else f"{type(error).__name__}: {error}"


def write(io, location):
    with io.new_output(location).create(overwrite=True) as stream:
        stream.write(b"x")


def read(io, location):
    with io.new_input(location).open() as stream:
        stream.read()


def listing(io, location):
    io.fs_by_scheme("s3", None).get_file_info(FileSelector(location.removeprefix("s3://")))


catalog = load_catalog("lake", **given["properties"])
catalog.create_namespace_if_not_exists(given["table"].split(".")[0])
rows = pyarrow.table({"id": pyarrow.array([1, 2, 3], pyarrow.int64()), "name": ["a", "b", "c"]})
catalog.create_table(given["table"], schema=rows.schema)
for _ in range(2):
    catalog.load_table(given["table"]).append(rows)
table = catalog.load_table(given["table"])
io = table.io
files = [task.file.file_path for task in table.scan().plan_files()]
results = {
    "location": table.location(),
    "rows": table.scan().to_arrow().num_rows,
    "files": [*files, table.current_snapshot().manifest_list],
    "outside": {
        location: {
            "read": outcome(lambda at=location: read(io, at)),
            "write": outcome(lambda at=location: write(io, at)),
            "delete": outcome(lambda at=location: io.delete(at)),
        }
        for location in given.get("outside", [])
    },
    "listed": {
        location: outcome(lambda at=location: listing(io, at))
        for location in [table.location(), *given.get("lists", [])]
    },
}
if given["end"] == "purge":
    catalog.purge_table(given["table"])
elif given["end"] == "drop":
    catalog.drop_table(given["table"])
    for location in files:
        io.delete(location)
results["exists"] = catalog.table_exists(given["table"])
if "elsewhere" in given:
    results["elsewhere"] = outcome(
        lambda: catalog.create_table(f"{given['table']}_2", schema=rows.schema, location=given["elsewhere"])
    )
print(json.dumps(results))
