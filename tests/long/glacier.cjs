// Goes the way of a retrieval with AWS' SDK for JavaScript; prints what it saw as one line of JSON.
//
//   NODE_PATH=MODULES node glacier.cjs ENDPOINT

const { createHash } = require("node:crypto");
const sdk = require("@aws-sdk/client-glacier");

const client = new sdk.GlacierClient({ endpoint: process.argv[2], maxAttempts: 1 });
const mine = { accountId: "-", vaultName: "javascript" };
const MIB = 1 << 20;
const bytes = Buffer.alloc(3 * MIB + 7, "what the archive holds\n");
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();

function treeHash(data) {
  let level = [];
  for (let at = 0; at < data.length; at += MIB) level.push(sha256(data.subarray(at, at + MIB)));
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at < level.length; at += 2)
      above.push(at + 1 < level.length ? sha256(level[at], level[at + 1]) : level[at]);
    level = above;
  }
  return level[0].toString("hex");
}

async function output(jobId, first, last) {
  const range = first === undefined ? undefined : `bytes=${first}-${last}`;
  const answer = await client.send(new sdk.GetJobOutputCommand({ ...mine, jobId, range }));
  const body = Buffer.from(await answer.body.transformToByteArray());
  const wanted = first === undefined ? bytes : bytes.subarray(first, last + 1);
  return {
    status: answer.status,
    contentRange: answer.contentRange ?? null,
    right: body.equals(wanted),
    checked: answer.checksum === undefined ? null : answer.checksum === treeHash(body),
  };
}

async function main() {
  await client.send(new sdk.CreateVaultCommand(mine));
  const uploaded = await client.send(new sdk.UploadArchiveCommand({ ...mine, body: bytes }));
  const jobParameters = { Type: "archive-retrieval", ArchiveId: uploaded.archiveId, Tier: "Bulk" };
  const { jobId } = await client.send(new sdk.InitiateJobCommand({ ...mine, jobParameters }));
  const job = await client.send(new sdk.DescribeJobCommand({ ...mine, jobId }));
  const jobs = await client.send(new sdk.ListJobsCommand(mine));
  const vaults = await client.send(new sdk.ListVaultsCommand({ accountId: "-", limit: 1000 }));
  const refused = await client
    .send(new sdk.DescribeJobCommand({ ...mine, jobId: "none" }))
    .catch((error) => [error.name, error.$metadata.httpStatusCode]);
  return {
    vaults: vaults.VaultList.map((vault) => vault.VaultName),
    listed: jobs.JobList.map((each) => each.JobId === jobId),
    uploaded: uploaded.checksum === treeHash(bytes),
    job: [job.Action, job.StatusCode, job.Tier, job.ArchiveSizeInBytes, job.SHA256TreeHash === treeHash(bytes)],
    whole: await output(jobId),
    node: await output(jobId, 0, 2 * MIB - 1),
    noNode: await output(jobId, MIB, 3 * MIB - 1),
    refused,
  };
}

main().then((seen) => console.log(JSON.stringify(seen)));
