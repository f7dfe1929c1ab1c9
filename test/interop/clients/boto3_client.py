"""One operation of boto3 with what stdin names; prints its result as JSON."""
import json
import sys

import boto3
from botocore.config import Config

given = json.load(sys.stdin)
client = boto3.client(
    "s3",
    endpoint_url=given["endpoint"],
    region_name="us-east-1",
    aws_access_key_id=given["accessKeyId"],
    aws_secret_access_key=given["secretAccessKey"],
    aws_session_token=given["sessionToken"],
    # Without a signature version URLs would be presigned with the retired version 2.
    config=Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        retries={"max_attempts": 1},
    ),
)
place = {"Bucket": given["bucket"], "Key": given.get("key", "")}


def put():
    with open(given["file"], "rb") as body:
        client.put_object(**place, Body=body)


def put_parts():
    client.upload_file(given["file"], given["bucket"], given["key"])


def get():
    answer = client.get_object(**place, **({"Range": given["range"]} if "range" in given else {}))
    with open(given["file"], "wb") as file:
        file.write(answer["Body"].read())


def list_keys():
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=given["bucket"], Prefix=given["prefix"])
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def delete():
    client.delete_object(**place)


def presign():
    return client.generate_presigned_url("get_object", Params=place, ExpiresIn=300)


operations = {
    "put": put,
    "put_parts": put_parts,
    "get": get,
    "list": list_keys,
    "delete": delete,
    "presign": presign,
}
print(json.dumps(operations[given["operation"]]()))
