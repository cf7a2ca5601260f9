import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../../test/kit/loaded-settings.ts";
import { opening } from "../../../../test/kit/samples.ts";
import { portsOf } from "../../../host/running/ports.ts";
import { judgeListening, judgeOthers, judgePrivate, judgeProxied } from "./ports.ts";

const settings = settingsWith();
const promised = portsOf(settings);
const OURS: Readonly<Record<string, string>> = { postfix: "master", dovecot: "dovecot", unbound: "unbound" };
const listeners = promised.map(({ port, address, service }) => ({
  address: address ?? "0.0.0.0",
  port,
  programs: [OURS[service] ?? "node-MainThread"],
}));

test("each port is held by its own program; one that is silent is wrong", () => {
  assert.equal(judgeListening(promised, listeners).state, "ok");
  const silent = judgeListening(promised, listeners.slice(1));
  assert.equal(silent.state, "wrong");
  assert.match(silent.saw, /25 \(ports\.smtp\)/);
});

test("a dashboard for this machine only, and a port for proxies that accepts no one else, are ok", () => {
  assert.equal(judgePrivate(settings, listeners).state, "ok");
  assert.equal(judgeProxied(new Map([["203.0.113.10", []]])).state, "ok");
});

test("other programs that listen publicly are a warning, except ssh", () => {
  const other = (name: string, address = "0.0.0.0") => ({ address, port: 2222, programs: [name] });
  assert.equal(judgeOthers(promised, listeners).state, "ok");
  assert.equal(judgeOthers(promised, [...listeners, other("sshd")]).state, "ok");
  assert.equal(judgeOthers(promised, [...listeners, other("telnetd")]).state, "warning");
  assert.equal(judgeOthers(promised, [...listeners, other("telnetd", "127.0.0.1")]).state, "ok");
  const strict = (...doors: readonly string[]) =>
    judgeOthers(promised, [...listeners, other("telnetd")], opening(doors));
  assert.match(strict("25/tcp").saw, /The strict firewall closes the ports of all other programs/);
  assert.equal(strict("2222/tcp6").state, "warning");
});
