"""Puts objects of given sizes and reads them back; prints what became of each."""
import hashlib
import json
import os
import sys

import boto3
from botocore.config import Config

given = json.load(sys.stdin)
client = boto3.client(
    "s3",
    endpoint_url=given["endpoint"],
    verify=given.get("ca"),
    region_name="us-east-1",
    aws_access_key_id=given["accessKeyId"],
    aws_secret_access_key=given["secretAccessKey"],
    aws_session_token=given["sessionToken"],
    config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
)
# What the last request of an upload said about its payload.
seen = {}
client.meta.events.register(
    "before-send.s3",
    lambda request, **_: seen.update(payload=str(request.headers.get("X-Amz-Content-SHA256", b""))),
)
results = {}
for size in given["sizes"]:
    body = os.urandom(size)
    key = f"{given['prefix']}-{size}"
    client.put_object(Bucket=given["bucket"], Key=key, Body=body)
    is_streamed = "STREAMING-UNSIGNED-PAYLOAD-TRAILER" in seen["payload"]
    answer = client.get_object(Bucket=given["bucket"], Key=key)
    read = answer["Body"].read()
    results[size] = {
        "isStreamed": is_streamed,
        "isIntact": hashlib.sha256(read).digest() == hashlib.sha256(body).digest(),
        "encoding": answer.get("ContentEncoding", ""),
    }
print(json.dumps(results))
