import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { lacking } from "../../../test/kit/needs.ts";
import { patience } from "../../../test/kit/patience.ts";
import { answering, hung, saying, servedSocket, silent } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { exchange } from "./exchange.ts";
import { probeSpamd, SPAM_HEAD } from "./filters.ts";

const LONG_MS = 5_000;
const SHORT_MS = 100;
/** For a filter that answers and one that does not. */
const ENOUGH_MS = 1_000;
const PROGRAM = fileURLToPath(new URL("../../../security/spam-head.py", import.meta.url));

test("spamd of any version works if it answers PONG", async () => {
  const question = "PING SPAMC/1.5\r\n\r\n";
  const pulse = await servedSocket(silent);
  const of = async (serve: (socket: Socket) => void) => ({ spamd: await servedSocket(serve), pulse });
  assert.ok((await probeSpamd(await of(answering(question, "SPAMD/1.5 0 PONG\r\n")), LONG_MS)).ok);
  assert.ok(!(await probeSpamd(await of(saying("SPAMD/1.0 76 Bad header line\r\n")), SHORT_MS)).ok);
  assert.ok(!(await probeSpamd(await of(silent), SHORT_MS)).ok);
});

test("a spamd that is busy with mails works as long as it answers about some of them", async () => {
  const spamd = await servedSocket(silent);
  const hangs = hung("gave no answer within 1 s");
  const reported = [
    ["spamd answered 0 s ago\n", { ok: true }],
    ["spamd answered 15 s ago\n", { ok: true }],
    ["spamd answered 16 s ago\n", hangs],
    ["spamd answered about no mail yet\n", hangs],
  ] as const;
  const check = async ([says, found]: (typeof reported)[number]): Promise<void> =>
    assert.deepEqual(await probeSpamd({ spamd, pulse: await servedSocket(saying(says)) }, ENOUGH_MS), found, says);
  await Promise.all(reported.map(check));
});

test("a spamd whose processes are all busy works, and spam-head reports it however many mails wait", {
  skip: lacking({ installed: ["python3"] }),
}, async (t) => {
  // It answers for the first mail, and then never again.
  const mails = new Set<Socket>();
  const spamd = await servedSocket((socket) =>
    socket.on("data", (said) => {
      if (said.toString().startsWith("PING")) return;
      if (mails.size === 0) socket.end("SPAMD/1.1 0 EX_OK\r\nSpam: False ; 0.0 / 5.0\r\n\r\n");
      mails.add(socket);
    }),
  );
  const directory = temporaryDirectory();
  const [path, pulse] = [join(directory, "head"), join(directory, "pulse")];
  const head = spawn("python3", ["-I", PROGRAM, path, spamd, pulse], { stdio: ["ignore", "ignore", "inherit"] });
  t.after(() => head.kill("SIGKILL"));
  const send = async (): Promise<Socket> => {
    const client = connect(path).on("error", () => undefined);
    t.after(() => client.destroy());
    await once(client, "connect");
    client.write("HEADERS SPAMC/1.5\r\nContent-length: 9\r\n\r\nSubject:\n");
    return client;
  };
  const inTime = { timeout: patience(10_000) };
  const works = async () => assert.deepEqual(await exchange({ path: pulse }, SPAM_HEAD, LONG_MS), { ok: true });
  await t.waitFor(works, inTime);
  assert.equal((await probeSpamd({ spamd, pulse }, SHORT_MS)).ok, false, "it has answered about no mail yet");
  await once(await send(), "data");
  // More connections than spam-head accepts.
  await Promise.all(Array.from({ length: 100 }, send));
  await t.waitFor(() => assert.ok(mails.size > 16), inTime);
  await works();
  assert.deepEqual(await probeSpamd({ spamd, pulse }, ENOUGH_MS), { ok: true });
});
