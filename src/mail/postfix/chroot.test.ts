import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { renderChroot } from "./master-cf.ts";

test("chrooted programs ask only our resolver", () => {
  const files = new Map(renderChroot(sampleSite()).map(({ name, text }) => [name, text]));
  const servers = (files.get("resolv.conf") ?? "").match(/^nameserver .*$/gm);
  assert.deepEqual(servers, ["nameserver 127.71.9.53"]);
  assert.match(files.get("nsswitch.conf") ?? "", /^hosts: files dns$/m);
  assert.match(files.get("hosts") ?? "", /^127\.0\.0\.1 localhost$/m);
  assert.match(files.get("hosts") ?? "", /^127\.71\.9\.25 probe\.localhost$/m);
  assert.match(files.get("services") ?? "", /^smtp 25\/tcp/m);
});
