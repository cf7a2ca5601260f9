import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS } from "../../core/time.ts";
import { hasNoLock, latestOf, Restic, writtenBy } from "./restic.ts";
import { failure, isLost } from "./restic-failure.ts";

const locally = (err: string, code = 1) => failure({ code, out: [], err, isRemote: false });
const remotely = (err: string, out: readonly string[] = []) => failure({ code: 1, out, err, isRemote: true });

test("only a directory is known to have no lock", () => {
  const place = temporaryDirectory();
  assert.equal(hasNoLock(place), false, "no repository");
  mkdirSync(join(place, "locks"));
  assert.equal(hasNoLock(place), true);
  writeFileSync(join(place, "locks", "0a1b"), "");
  assert.equal(hasNoLock(place), false);
  assert.equal(hasNoLock("sftp:backup@192.0.2.1:/mail"), false);
});

test("a running process has written something; of one that has ended it is unknown", () => {
  assert.ok((writtenBy(process.pid) ?? -1) >= 0);
  assert.equal(writtenBy(undefined), null);
});

test("the last of very many messages says why restic failed", async () => {
  const directory = temporaryDirectory();
  const script = `#!/bin/sh
seq 2500 | sed 's|.*|error: open /mail/&: permission denied|' >&2
echo 'Fatal: unable to save snapshot: write: no space left on device' >&2
exit 1
`;
  put(join(directory, "restic"), script, 0o755);
  const environment = { PATH: `${directory}:/usr/bin:/bin` };
  const created = await new Restic({ place: "/nowhere", key: { text: "" }, cache: "", environment }).create();
  assert.equal(!created.ok && created.code, "full");
});

test("distinguishes a killed restic, a missing one and an unknown failure", () => {
  assert.equal(locally("", 137).reason, "restic was killed; the memory may have run out");
  assert.equal(locally("", 3).reason, "restic ended with 3");
  assert.equal(locally("Fatal: something new\n").reason, "Fatal: something new");
  assert.match(locally("spawn setpriv ENOENT", 127).reason, /npm run setup/);
});

test("a cut connection to another machine is not damage", () => {
  const cut = `Load(<data/482fd38508>, 251, 0) returned error, retrying after 552ms: client.Do: Get "http://192.0.2.1/data/482fd38508": EOF
error for tree 9b14ffd3:
  ReadFull(<data/482fd38508>): client.Do: Get "http://192.0.2.1/data/482fd38508": EOF
Fatal: repository contains errors`;
  const reason = "the connection was cut, or a file of it is damaged";
  assert.deepEqual(remotely(cut), { ok: false, code: "other", reason });
  assert.equal(locally(cut).code, "damaged");
  assert.equal(remotely(cut.replaceAll("EOF", "ciphertext verification failed")).code, "damaged");
});

test("refused credentials are not damage", () => {
  const refused = "The request signature we calculated does not match the signature you provided.";
  for (const err of [
    `Fatal: unable to open config file: Stat: ${refused}\nIs there a repository at the following location?\ns3:x/y`,
    `Load(<data/6ac9e979ab>, 0, 0) returned error, retrying after 552ms: ${refused}`,
    "Fatal: unexpected HTTP response (401): 401 Unauthorized",
  ]) {
    assert.deepEqual(remotely(err), { ok: false, code: "other", reason: "it refuses the name or the password" });
    assert.equal(isLost(err, true), false);
  }
  const { reason } = remotely("Fatal: unable to open config file: client.PutObject: Access Denied.");
  assert.equal(reason, "it refuses access");
});

const unopened = (why: string): string =>
  `Fatal: unable to open config file: ${why}\nIs there a repository at the following location?\nrest:https://nas:8000/`;

test("only a place without a config file contains no backup", () => {
  for (const why of [
    "<config/> does not exist",
    "Lstat: file does not exist",
    "Stat: The specified bucket does not exist.",
    "Stat: b2_download_file_by_name: 404: ",
    "storage: object doesn't exist",
    "conn.Object: Object Not Found",
  ])
    assert.equal(remotely(unopened(why)).code, "no_repository", why);
  assert.equal(locally(unopened("stat /backups/config: no such file or directory")).code, "no_repository");
  const head = 'client.Head: Head "https://nas:8000/config": ';
  for (const why of [
    "unexpected HTTP response (503): 503 Service Unavailable",
    "unexpected HTTP response (429): 429 Too Many Requests",
    `${head}x509: certificate has expired`,
    "Stat: The difference between the request time and the server's time is too large.",
  ])
    assert.partialDeepStrictEqual(remotely(unopened(why)), { code: "other", reason: why.replace(/\.$/, "") });
  assert.equal(locally(unopened("stat /backups/config: input/output error")).code, "other");
  const { reason } = remotely(unopened(`${head}x509: certificate signed by unknown authority`));
  assert.match(reason, /^its certificate is not trusted: set SSL_CERT_FILE/);
});

test("a place that ssh cannot reach is reported in the words of ssh", () => {
  const end = "Fatal: unable to open repository at sftp:b@nas:/mail: unable to start the sftp session, error: EOF";
  for (const [said, why] of [
    ["Host key verification failed.\r", "Host key verification failed"],
    [
      "Warning: a banner\nsubprocess ssh: b@nas: Permission denied (publickey).",
      "b@nas: Permission denied (publickey)",
    ],
    ["ssh: connect to host nas port 22: Connection timed out", "connect to host nas port 22: Connection timed out"],
  ] as const)
    assert.deepEqual(remotely(`subprocess ssh: ${said}\n${end}`), {
      ok: false,
      code: "other",
      reason: `it cannot be reached: ${why}`,
    });
  assert.equal(remotely(`subprocess ssh: a banner\n${unopened("Lstat: file does not exist")}`).code, "no_repository");
});

test("the name of a user's folder never decides the reason", () => {
  for (const folder of [
    ".retrying after hash",
    ".pack damaged",
    ".x: pack damaged",
    ".Load(x) returned error, retrying after hash",
  ]) {
    const path = `/mail/anna/Maildir/${folder}/cur/1:2,S`;
    for (const [err, isRemote, reason] of [
      [`ignoring error for ${path}: write /to${path}: no space left on device`, false, "no space is left on the disk"],
      [`ignoring error for ${path}: read tcp: connection reset by peer`, true, "it cannot be reached"],
      [
        `{"message_type":"error","error":{"Op":"open","Path":"${path}","Err":13},"during":"archival","item":"${path}"}
Warning: at least one source file could not be read`,
        false,
        "Warning: at least one source file could not be read",
      ],
      [
        `{"message_type":"error","error":{"message":"open ${path}"},"during":"scan","item":"${path}"}
{"message_type":"exit_error","code":1,"message":"Fatal: unable to save snapshot: no space left on device"}`,
        false,
        "no space is left on the disk",
      ],
    ] as const) {
      assert.equal((isRemote ? remotely : locally)(err).reason, reason, err);
      assert.equal(isLost(err, isRemote), false, err);
    }
  }
  assert.ok(isLost("Load(<data/6ac9e979ab>, 0, 0) returned error, retrying after 552ms: hash does not match", true));
});

const KEPT =
  "Remove(<snapshot/d6c5d6d09f>) returned error, retrying after 552.330144ms: blob not removed, server response: 403 Forbidden (403)";
const READ_LOCK =
  "Load(<lock/ff9c6c389e>, 0, 0) returned error, retrying after 552ms: open /backups/locks/ff9c6c389e: no such file or directory";
const CUT_BEFORE = `Load(<data/6ac9e979ab>, 248, 251) returned error, retrying after 552ms: read tcp: read: connection reset by peer
Pack ID does not match, want e007b1c2, got 3ee1a5d0
Fatal: repository contains errors`;

test("an append-only server, a lock that another restic removed and damage after a cut connection have their own reasons", () => {
  assert.equal(remotely(KEPT).reason, "it does not allow deletions");
  const cut = KEPT.replace(/blob .*/, "dial tcp 192.0.2.1:8000: connect: connection refused");
  assert.equal(remotely(cut).reason, "it cannot be reached");
  assert.equal(isLost(READ_LOCK, false), false);
  assert.equal(locally(READ_LOCK).reason, "restic ended with 1");
  assert.equal(remotely(CUT_BEFORE).code, "damaged");
});

test("a lock that could not be removed does not hide why restic failed", () => {
  const lock = "Remove(<lock/d6c5d6d09f>) returned error, retrying after 552ms: Access Denied.";
  for (const [err, reason] of [
    ["Save(<data/6ac9e979ab>) returned error, retrying after 552ms: Access Denied.", "it refuses access"],
    ["pack 6ac9e979ab: does not exist\nFatal: repository contains errors", "it is damaged"],
    [
      "Save(<data/6ac9e979ab>) returned error, retrying after 552ms: dial tcp 192.0.2.1:443: connect: connection refused",
      "it cannot be reached",
    ],
    ["Fatal: parsing failed", "Fatal: parsing failed"],
  ] as const)
    assert.equal(remotely(`${err}\n${lock}`).reason, reason);
});

// As restic 0.14 printed it, with two tries of ten.
const NOT_UNLOCKED = `Remove(<lock/916102877e>) returned error, retrying after 552.330144ms: CAUSE
Remove(<lock/916102877e>) returned error, retrying after 1.080381816s: CAUSE
error while unlocking: CAUSE`;
const NOT_CLEANED_UP = `Remove(<lock/916102877e>) returned error, retrying after 507.606314ms: CAUSE
Remove(<lock/916102877e>) returned error, retrying after 985.229971ms: CAUSE
error in cleanup handler: CAUSE`;

test("damage at a server that does not allow locks to be removed is reported as damage", () => {
  const err = `pack c02bafb20184ff7dcb3605af0e5bfbb6bc6abe5ce7cd2180ef732bfbcb53040b: does not exist
${NOT_UNLOCKED}Fatal: repository contains errors
${NOT_CLEANED_UP}`.replaceAll("CAUSE", "blob not removed, server response: 403 Forbidden (403)");
  const out = ["create exclusive lock for repository", "load indexes", "check all packs"];
  for (const refreshed of ["", "unable to refresh lock: blob not removed, server response: 403 Forbidden (403)\n"])
    assert.deepEqual(remotely(`${refreshed}${err}`, out), { ok: false, code: "damaged", reason: "it is damaged" });
});

test("a lock that vanished is not damage", () => {
  const file = "/backups/locks/916102877e3e35a4ed1b97aee37c1c954bf81676a0f89c9be72b6fc8d6655d50";
  const cause = `chmod ${file}: no such file or directory`;
  const full = "/backups/data/e2/e281adc169863266740628573ceef501b6e3ee749a23385fa8c1d13afe34ad3e-tmp-1592747509";
  const err = `${NOT_UNLOCKED}Fatal: unable to save snapshot: write ${full}: no space left on device
${NOT_CLEANED_UP}`.replaceAll("CAUSE", cause);
  const reason = "no space is left on the disk";
  assert.deepEqual(locally(err), { ok: false, code: "full", reason });
  const saved = `${NOT_UNLOCKED}${NOT_CLEANED_UP}`.replaceAll("CAUSE", cause);
  for (const line of saved.split("\n")) assert.equal(isLost(line, false), false, line);
  assert.equal(locally(saved, 3).reason, "restic ended with 3");
});

test("the latest backup is not one of a night when the clock was ahead, unless all are", () => {
  const NOW = Date.UTC(2026, 10, 25);
  const madeAt = (at: number) => ({ id: String(at), at, host: "mail.example.test", tags: [] });
  const [older, latest, ahead] = [madeAt(NOW - 2 * DAY_MS), madeAt(NOW - DAY_MS), madeAt(NOW + 365 * DAY_MS)];
  assert.equal(latestOf([older, latest, ahead], NOW), latest);
  const whileBehind = latestOf([older, latest], NOW - DAY_MS - 60_000);
  assert.equal(whileBehind, latest, "another machine's clock may be a little behind");
  assert.equal(latestOf([ahead], NOW), ahead);
  assert.equal(latestOf([], NOW), undefined);
});
