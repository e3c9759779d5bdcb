"""What boto3 makes of an S3 server: each step's outcome, as one JSON object.

Its argument is a JSON object: `url`, `region`, `bucket`, and the keys of who may use it, `access` and `secret`.
"""

import json
import sys

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from outcome import outcome

given = json.loads(sys.argv[1])
BUCKET = given["bucket"]
FIRST, SECOND = b"a gene", "another gene, \u00e4ltere".encode()
LARGE = bytes(range(256)) * (9 << 12)  # 9 MiB: over the size from which it goes in parts


def client(access, secret, **more):
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **more)
    keys = {"aws_access_key_id": access, "aws_secret_access_key": secret}
    return boto3.client("s3", endpoint_url=given["url"], region_name=given["region"], config=config, **keys)


s3 = client(given["access"], given["secret"])
wrong_key = client("AKIAWRONG", given["secret"])
wrong_secret = client(given["access"], "wrong")
nobody = client(None, None, signature_version=UNSIGNED)


def put(key, content, s3=s3, bucket=BUCKET, **more):
    return outcome(lambda: s3.put_object(Bucket=bucket, Key=key, Body=content, **more)["ETag"])


def get(key, s3=s3, bucket=BUCKET, **more):
    return outcome(lambda: s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read().decode())


def listed(prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix, PaginationConfig={"PageSize": 2})
    return [[object["Key"] for object in page.get("Contents", [])] for page in pages]


def large():
    from io import BytesIO

    s3.upload_fileobj(BytesIO(LARGE), BUCKET, "large")
    return s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == LARGE


found = {
    # The test makes the first two fail, and lets the answer of the third be lost.
    "unavailable": put("genes/first.json", FIRST),
    "busy": get("genes/first.json"),
    "lost": put("genes/lost.json", FIRST, IfNoneMatch="*"),
    "lost_again": put("genes/lost.json", SECOND, IfNoneMatch="*"),
    "put": put("genes/first.json", FIRST, ContentType="application/json", Metadata={"run": "one"}),
    "over": put("genes/the best one \u00e4.json", FIRST) and put("genes/the best one \u00e4.json", SECOND),
    "third": put("genes/third.json", FIRST),
    "other": put("other.json", FIRST),
    "kept": put("genes/first.json", SECOND, IfNoneMatch="*"),
    "put_wrong_key": put("x", b"x", wrong_key),
    "put_wrong_secret": put("x", b"x", wrong_secret),
    "put_nobody": put("x", b"x", nobody),
    "put_no_bucket": put("x", b"x", bucket="absent"),
    "get": get("genes/the best one \u00e4.json"),
    "get_part": get("genes/first.json", Range="bytes=2-3"),
    "get_absent": get("genes/absent.json"),
    "get_wrong_secret": get("genes/first.json", wrong_secret),
    "get_nobody": get("genes/first.json", nobody),
    "get_no_bucket": get("genes/first.json", bucket="absent"),
    "head": outcome(lambda: [s3.head_object(Bucket=BUCKET, Key="genes/first.json")[name] for name in ("ContentLength", "Metadata")]),
    "head_absent": outcome(lambda: s3.head_object(Bucket=BUCKET, Key="genes/absent.json")),
    "pages": outcome(lambda: listed("genes/")),
    "large": outcome(large),
    "deleted": outcome(lambda: s3.delete_object(Bucket=BUCKET, Key="genes/third.json") and None),
    "get_deleted": get("genes/third.json"),
}
json.dump(found, sys.stdout)
