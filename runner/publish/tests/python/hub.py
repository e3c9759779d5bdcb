"""What the Hub's own client makes of the server that HF_ENDPOINT names: each step's outcome, as one JSON object.

Its argument is a JSON object: a user's `token`, the repository that is made, `own`, and one of another user, `foreign`,
which is there and public.
"""

import json
import sys

from huggingface_hub import CommitOperationAdd, HfApi, get_hf_file_metadata, hf_hub_url
from huggingface_hub.utils import get_session
from outcome import outcome

given = json.loads(sys.argv[1])
own, foreign = given["own"], given["foreign"]
api = HfApi(token=given["token"])
wrong, nobody = HfApi(token="hf_wrong"), HfApi(token=False)
CARD = b"---\nlicense: mit\n---\n# Genes\n"
FIRST, SECOND = "a gene".encode(), "another gene, \u00e4ltere".encode()


def put(path, content, client=api, repository=own, **more):
    return outcome(lambda: client.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repository, **more).oid)


def get(path, revision=None, client=api, repository=own):
    def read():
        with open(client.hf_hub_download(repository, path, revision=revision), encoding="utf-8") as file:
            return file.read()

    return outcome(read)


def meta():
    url = hf_hub_url(own, "genes/the best one.json")
    return get_hf_file_metadata(url, token=given["token"])


def part(wanted):
    headers = {"Authorization": "Bearer " + given["token"], "Range": wanted}
    answer = get_session().get(meta().location, headers=headers)
    return [answer.status_code, answer.text, answer.headers["Content-Range"]]


def many():
    files = [CommitOperationAdd(f"many/{index:02}.json", b"{}") for index in range(25)]
    return api.create_commit(own, files, commit_message="Many").oid


found = {
    # The test makes these two fail.
    "unavailable": outcome(lambda: api.create_repo(own)),
    "busy": outcome(lambda: api.create_repo(own)),
    "created": outcome(lambda: api.create_repo(own, private=True)),
    "again": outcome(lambda: api.create_repo(own)),
    "again_allowed": outcome(lambda: api.create_repo(own, exist_ok=True)),
    "create_foreign": outcome(lambda: api.create_repo(foreign + "-more")),
    "create_wrong": outcome(lambda: wrong.create_repo(own)),
    "create_nobody": outcome(lambda: nobody.create_repo(own)),
}
found |= {
    # The test lets the answer of this one be lost.
    "lost": put("README.md", CARD),
    "card": put("README.md", CARD),
    "first": put("genes/the best one.json", FIRST, commit_message="The first"),
    "second": put("genes/the best one.json", SECOND),
    "unchanged": put("genes/the best one.json", SECOND),
    "put_wrong": put("x", b"x", wrong),
    "put_nobody": put("x", b"x", nobody),
    "put_foreign": put("x", b"x", repository=foreign),
    "put_absent": put("x", b"x", repository=own + "-absent"),
    "put_large": put("x.safetensors", b"x"),
}
found |= {
    "put_stale": put("x", b"x", parent_commit=found["first"]),
    "many": outcome(many),
    "deleted": outcome(lambda: api.delete_file("many/00.json", own).oid),
    "get": get("genes/the best one.json"),
    "get_older": get("genes/the best one.json", found["first"]),
    "get_absent": get("genes/absent.json"),
    "get_before": get("genes/the best one.json", found["card"]),
    "get_no_revision": get("README.md", "0" * 40),
    "get_wrong": get("README.md", client=wrong),
    "get_nobody": get("README.md", client=nobody),
    "get_no_repository": get("README.md", repository=own + "-absent"),
    "get_foreign": get(".gitattributes", repository=foreign, client=nobody),
    "metadata": outcome(lambda: [meta().commit_hash, meta().etag, meta().size]),
    "part": outcome(lambda: part("bytes=2-5")),
    "part_behind": outcome(lambda: part("bytes=99-"))[0],
    "exists": outcome(lambda: api.file_exists(own, "README.md")),
    "exists_not": outcome(lambda: api.file_exists(own, "absent")),
    "files": outcome(lambda: api.list_repo_files(own)),
    "files_before": outcome(lambda: api.list_repo_files(own, revision=found["card"])),
    "files_nobody": outcome(lambda: nobody.list_repo_files(own)),
    "folder": outcome(lambda: sorted(entry.path for entry in api.list_repo_tree(own))),
    "sha": outcome(lambda: api.repo_info(own).sha),
    "sha_before": outcome(lambda: api.model_info(own, revision=found["card"]).sha),
    "private": outcome(lambda: [api.model_info(own).private, nobody.model_info(foreign).private]),
    "sizes": outcome(lambda: {file.rfilename: file.size for file in api.model_info(own, files_metadata=True).siblings}),
    "info_nobody": outcome(lambda: nobody.model_info(own).sha),
}
json.dump(found, sys.stdout)
