import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { heldEngine, postfixAt } from "../../../test/kit/policy-server-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { decision } from "../../core/decide/decision.ts";
import { createMilterServer } from "./milter-server.ts";

const packet = (text: string): string => `${String.fromCharCode(0, 0, 0, text.length)}${text}`;
const HEAVY = `${packet("DC{client_addr}\x00198.51.100.9\0")}${packet("LX\0\0").repeat(1_001)}${packet("N")}`;

async function started() {
  const engine = heldEngine();
  const reports: string[] = [];
  const server = createMilterServer(engine.submit, (code, detail) => reports.push(`${code} ${detail}`));
  after(() => server.stop());
  const path = join(temporaryDirectory(), "milter.sock");
  await server.start(path);
  return { engine, reports, client: postfixAt(path) };
}

test("a mail is refused once the engine has decided, and the next one is accepted", async () => {
  const { engine, client } = await started();
  client.socket.write(HEAVY, "latin1");
  await until(() => engine.asked.length === 1, "the engine is asked");
  assert.equal(client.text(), "");
  engine.answer(0, decision("refuse", "header_lines"));
  await until(() => client.text().includes("550 5.7.1 Too many header lines"), "it is refused");
  client.chunks.length = 0;
  client.socket.write(`${packet("DM{mail_addr}\0a@b.test\0")}${packet("LX\0\0")}${packet("N")}`, "latin1");
  await until(() => client.text() === packet("a"), "it is accepted");
  assert.equal(engine.asked.length, 1);
  client.socket.write(packet("Q"));
  await until(() => client.socket.closed, "it ends with Postfix's word");
});

test("data of another protocol is dropped and reported", async () => {
  const { reports, client } = await started();
  client.socket.write("GET / HTTP/1.1\r\n\r\n");
  await until(() => client.socket.closed, "it is dropped");
  assert.deepEqual(reports, ["internal_error not the milter protocol"]);
});
