"""Creates, fills, reads and drops tables with Spark, and tries what is outside of them; prints what became of each step."""
import contextlib
import json
import os
import sys

from pyspark.sql import SparkSession

given = json.load(sys.stdin)
s3a = given["s3a"]
settings = {
    "spark.master": "local[1]",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "700m",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.warehouse.dir": given["scratch"],
    "spark.jars": ",".join(given["jars"]),
    # A catalog that vends credentials for each table.
    "spark.sql.catalog.vended": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.vended.type": "rest",
    "spark.sql.catalog.vended.uri": given["uri"],
    "spark.sql.catalog.vended.header.X-Iceberg-Access-Delegation": "vended-credentials",
    # Tables in files of Hadoop's S3A, with the credentials of one session.
    "spark.sql.catalog.files": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.files.type": "hadoop",
    "spark.sql.catalog.files.warehouse": f"{s3a['location']}/warehouse",
    "spark.sql.catalog.elsewhere": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.elsewhere.type": "hadoop",
    "spark.sql.catalog.elsewhere.warehouse": f"{s3a['elsewhere']}/warehouse",
    "spark.hadoop.fs.s3a.endpoint": s3a["endpoint"],
    "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider",
    "spark.hadoop.fs.s3a.access.key": s3a["accessKeyId"],
    "spark.hadoop.fs.s3a.secret.key": s3a["secretAccessKey"],
    "spark.hadoop.fs.s3a.session.token": s3a["sessionToken"],
}
builder = SparkSession.builder
for name, value in settings.items():
    builder = builder.config(name, value)
# Spark writes progress to the standard output of the gateway, which is this one's.
printed = os.dup(1)
os.dup2(2, 1)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")


def rows(statement):
    return [list(row) for row in spark.sql(statement).collect()]


def outcome(call):
    """`allowed`, `denied`, or what else went wrong."""
    try:
        call()
        return "allowed"
    except Exception as error:
        text = str(error)
        is_denied = any(word in text for word in ("Status Code: 403", "AccessDenied", "Access Denied"))
        return "denied" if is_denied else f"{type(error).__name__}: {text[:2000]}"


def through_files(table):
    """The tables of Hadoop's S3A: the whole life of one, and that of one of Spark's own."""
    rows(f"CREATE TABLE {table} (id BIGINT, name STRING) USING iceberg")
    rows(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')")
    rows(f"INSERT INTO {table} VALUES (3, 'c')")
    read = rows(f"SELECT id, name FROM {table} ORDER BY id")
    rows(f"DROP TABLE {table} PURGE")
    plain = f"{s3a['location']}/plain"
    frame = spark.createDataFrame([(1, "a")], "id BIGINT, name STRING")
    frame.write.mode("overwrite").parquet(plain)
    return {"rows": read, "plain": [list(row) for row in spark.read.parquet(plain).collect()]}


def through_catalog(table):
    """The tables of a catalog that vends credentials, and what these may do elsewhere."""
    rows(f"CREATE NAMESPACE IF NOT EXISTS {table.rsplit('.', 1)[0]}")
    rows(f"CREATE TABLE {table} (id BIGINT, name STRING) USING iceberg")
    rows(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')")
    rows(f"DELETE FROM {table} WHERE id = 1")
    read = rows(f"SELECT id, name FROM {table} ORDER BY id")
    load = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable
    io = load(spark._jsparkSession, table).io()
    outside = {
        location: {
            "read": outcome(lambda at=location: io.newInputFile(at).newStream().read()),
            "write": outcome(lambda at=location: io.newOutputFile(at).createOrOverwrite().close()),
            "delete": outcome(lambda at=location: io.deleteFile(at)),
        }
        for location in given["outside"]
    }
    location = load(spark._jsparkSession, table).location()
    rows(f"DROP TABLE {table}")
    return {"rows": read, "outside": outside, "location": location, "exists": spark.catalog.tableExists(table)}


results = {
    "vended": through_catalog("vended.spark.events"),
    "files": through_files("files.sales.events"),
    "elsewhere": {
        "create": outcome(lambda: rows("CREATE TABLE elsewhere.sales.events (id BIGINT) USING iceberg")),
        "read": outcome(lambda: spark.read.text(s3a["stranger"]).collect()),
        "write": outcome(lambda: spark.range(1).write.mode("append").parquet(f"{s3a['elsewhere']}/plain")),
    },
}
with contextlib.suppress(Exception):
    spark.stop()
os.write(printed, json.dumps(results).encode())
