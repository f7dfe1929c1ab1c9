"""Makes a form with generate_presigned_post, posts a file with it, and prints the status, and the form for others to post."""
import json
import sys

import boto3
import urllib3
from botocore.config import Config

given = json.load(sys.stdin)
client = boto3.client(
    "s3",
    endpoint_url=given["endpoint"],
    region_name="us-east-1",
    aws_access_key_id=given["accessKeyId"],
    aws_secret_access_key=given["secretAccessKey"],
    aws_session_token=given["sessionToken"],
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
)
form = client.generate_presigned_post(
    given["bucket"],
    given["key"],
    Fields={"x-amz-meta-from": "boto3"},
    Conditions=[{"x-amz-meta-from": "boto3"}, ["content-length-range", 0, given["maxBytes"]]],
)
fields = {**form["fields"], "file": (given["fileName"], given["content"].encode())}
answer = urllib3.PoolManager().request("POST", form["url"], fields=fields)
print(json.dumps({"status": answer.status, "text": answer.data.decode(), **form}))
