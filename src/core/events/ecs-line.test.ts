import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventItem } from "../../../test/kit/samples.ts";
import { scratch } from "../../../test/kit/test-database.ts";
import { ecsLine } from "./ecs-line.ts";

const PAGE = new URL("../../../docs/siem.md", import.meta.url);

test("the script of docs/siem.md starts after the last whole line of its file, also after a rotation", (t) => {
  const directory = scratch(t);
  const file = join(directory, "events.ndjson");
  writeFileSync(join(directory, "ghostinbox"), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const printed = /^ {4}#!\/bin\/sh\n(?: {4}.*\n)+/m.exec(readFileSync(PAGE, "utf8"))?.[0] ?? "";
  const script = printed.replace(/^cd .*$|^ {4}cd .*$/m, `cd ${directory}`).replace(/file=.*/, `file=${file}`);
  const askedFor = (): string | undefined => {
    execFileSync("sh", ["-c", script]);
    return readFileSync(file, "utf8").split("\n").at(-2);
  };
  assert.equal(askedFor(), "events --ecs --follow --after 0", "without a file");
  const lines = [41, 42].map((id) => `${ecsLine(eventItem("CONNECT", { id, helo: '"event":{"id":"9"' }))}\n`);
  writeFileSync(file, lines.join(""));
  assert.equal(askedFor(), "events --ecs --follow --after 42");
  writeFileSync(file, `${lines.join("")}{"event":{"i`);
  assert.match(askedFor() ?? "", /events --ecs --follow --after 42$/, "a line that was cut short");
  writeFileSync(`${file}.1`, lines.join(""));
  writeFileSync(file, "");
  assert.equal(askedFor(), "events --ecs --follow --after 42", "rotated");
});
