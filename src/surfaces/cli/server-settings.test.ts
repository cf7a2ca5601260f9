import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { scriptCall } from "../../../test/kit/script-world.ts";
import { commandLineOf, json, PASSWORD, startGuard, TIMED } from "../../../test/kit/test-guard.ts";
import { releaseLock, takeLock } from "../../host/running/data-directory.ts";
import { servedFiles } from "../../mail/certificates/issue-certificate.ts";
import { layoutOf } from "../../settings/layout.ts";
import { configCheck } from "./verbs/settings/config.ts";

const FILE = 'domains = ["example.org"]\nlimits.mail.per_minute = 20\n';

const { layout, run, fails, does } = commandLineOf(import.meta.filename);

/** Starts a server with these variables; it runs as long as the lock is held. */
function startWith(variables: Readonly<Record<string, string>>): void {
  writeFileSync(layout.settings, FILE);
  for (const [name, value] of Object.entries(variables)) put(join(layout.environment, name), value);
  takeLock(layout.startPid);
}

describe("a variable of the running server", () => {
  const MINUTE = "GHOSTINBOX_LIMITS__MAIL__PER_MINUTE";
  const says = `${MINUTE} overrides line 2 of ghostinbox.toml: limits.mail.per_minute is 5, not 20.`;

  test("config check names the variable, and says how to let the file decide", async () => {
    startWith({ [MINUTE]: "5" });
    const { out } = await run("config check");
    const warning = `${says} To let the file decide, start the server without ${MINUTE}.`;
    assert.ok(out.includes(`Warning: ${warning}`), out);
    const warnings = [{ where: MINUTE, says: warning }];
    assert.deepEqual(json(await run("config check --json")), { ok: true, problems: [], warnings });
  });

  test("config show prints what the server uses, whatever the caller's variables are", async () => {
    startWith({ [MINUTE]: "5", GHOSTINBOX_PORTS__SMTP: "2525" });
    const { out } = await run("config show", "", { [MINUTE]: "7", GHOSTINBOX_PORTS__IMAPS: "1993" });
    const inForce = /^limits\.mail\.per_minute = 5 {2}# GHOSTINBOX_LIMITS__MAIL__PER_MINUTE, over ghostinbox\.toml:2$/m;
    assert.match(out, inForce);
    assert.match(out, /^ports\.smtp = 2525 {2}# GHOSTINBOX_PORTS__SMTP$/m);
    assert.match(out, /^ports\.imaps = 993 {2}# default$/m);
    const unseen = /^# Warning: GHOSTINBOX_PORTS__IMAPS is set for this command only: the server does not see it\.$/m;
    assert.match(out, unseen);
    assert.ok(out.includes(`# Warning: ${says}`), out);
  });

  test("config show prints a long setting in full", async () => {
    const networks = Array.from({ length: 200 }, (_, i) => `198.51.100.${i}`);
    startWith({ GHOSTINBOX_LOGINS__NETWORKS: networks.join(",") });
    const { out } = await run("config show");
    assert.match(out, /^logins\.networks = .*198\.51\.100\.199\S+ {2}# GHOSTINBOX_LOGINS__NETWORKS$/m);
  });

  test("a variable of the caller with the server's own value gives no warning", async () => {
    startWith({});
    const caller = { GHOSTINBOX_DOMAIN: "example.org", GHOSTINBOX_PORTS__IMAPS: "1993" };
    const { out } = await run("config check", "", caller);
    assert.match(out, /GHOSTINBOX_PORTS__IMAPS is set for this command only/);
    assert.doesNotMatch(out, /GHOSTINBOX_DOMAIN/);
  });

  test("while the server is down, the caller's variables apply, as they would at the next start", async () => {
    startWith({ [MINUTE]: "5" });
    releaseLock(layout.startPid);
    const { out } = await run("config show", "", { [MINUTE]: "7" });
    assert.match(out, /^limits\.mail\.per_minute = 7 {2}# /m);
    assert.doesNotMatch(out, /does not see it/);
  });
});

test("a mistake in the file that is not applied yet does not break commands on a running server", TIMED, async (t) => {
  const guard = await startGuard(layout);
  t.after(() => guard.stop());
  startWith({});
  put(layout.settingsInForce, `${FILE}mailboxes.quota = "3GB"\n`);
  writeFileSync(layout.settings, `${FILE}no_such_setting = 1\n`);
  for (const line of ["account add anna@example.org", "account passwd anna@example.org"])
    await does(`${line} --password-stdin`, `${PASSWORD}\n`);
  assert.match(await does("account quota anna@example.org"), /3GB \(mailboxes\.quota\)/);
  for (const words of ["config check", "config apply", "restart"]) await fails(words, /no_such_setting/);
  releaseLock(layout.startPid);
  await fails("account passwd anna@example.org --password-stdin", /no_such/, { input: `${PASSWORD}\n` });
});

test("a key that is set twice is reported with both lines by every command that reads the file", async () => {
  writeFileSync(layout.settings, `${FILE}\nlimits.mail.per_minute = 30\n`);
  for (const words of ["check", "show", "set simulate true"]) {
    const says = /^limits\.mail\.per_minute is set twice in ghostinbox\.toml, in lines 2 and 4: keep one of them\. /;
    await fails(`config ${words}`, says);
  }
});

for (const [what, make] of [
  ["a directory, not a file", (path: string) => mkdirSync(path)],
  ["not a regular file", (path: string) => execFileSync("mkfifo", [path])],
  ["not UTF-8", (path: string) => writeFileSync(path, Buffer.from(`# f\xfcr\n${FILE}`, "latin1"))],
] as const)
  test(`what is ${what} in place of the settings file is named, whatever is asked`, async () => {
    rmSync(layout.settings, { force: true, recursive: true });
    make(layout.settings);
    const message = new RegExp(`^${layout.settings} is ${what}: .*\\. Without it, the defaults apply\\.\\n$`);
    for (const words of ["check", "show", "apply", "set limits.mail.per_minute 5"])
      await fails(`config ${words}`, message);
  });

test("config check names a file that the next start would miss, though a running server does not", ROOT, async () => {
  startWith({});
  const rules = join(layout.data, "rules.cf");
  writeFileSync(rules, Buffer.from("body HERR /f\xfcr/\n", "latin1"));
  for (const [toml, says] of [
    [`spam.rules = "${rules}"`, /rules\.cf is not UTF-8: convert it \(iconv /],
    [
      'outbound.relay = "[smtp.example.net]:587"\noutbound.relay_user = "me"\noutbound.relay_password_file = "/nowhere"',
      /relay_password_file/,
    ],
    ['dns.root_hints = "/nowhere"', /dns\.root_hints does not exist/],
    ['tls.cert = "/nope"\ntls.key = "/nope"', /^The file \/nope of tls\.cert does not exist or cannot be read\. /],
  ] as const) {
    writeFileSync(layout.settings, `${FILE}${toml}\n`);
    await fails("config check", says);
  }
});

test("backups in the data directory are refused, except in their default place", async () => {
  startWith({});
  const place = (path: string) => writeFileSync(layout.settings, `${FILE}backup.repository = "${path}"\n`);
  for (const path of [layout.data, join(layout.mail, "backups"), `/nowhere/..${layout.backup}`]) {
    place(path);
    for (const words of ["config check", "config apply"])
      await fails(words, /^backup\.repository must not be in \S+, because a restore replaces/);
  }
  const link = join(layout.data, "link");
  symlinkSync(layout.data, link);
  assert.ok(!(await configCheck(scriptCall({ layout: layoutOf(link), env: {} }))).ok, "the data directory is a link");
  for (const path of [layout.backupRepository, `${layout.data}-backups`, "sftp:me@host:/backups"]) {
    place(path);
    assert.equal((await run("config check")).code, 0, path);
  }
});

test("the next start is checked with its own variables, and may have faults of which it only warns", ROOT, async () => {
  const name = "GHOSTINBOX_LIMITS__MAIL__PER_MINUTE";
  const starts = async (variables: Readonly<Record<string, string>>): Promise<boolean> =>
    (await configCheck({ ...scriptCall({ layout, env: variables }), forNextStart: true })).ok;
  startWith({ [name]: "many" });
  for (const variables of [{}, { [name]: "7" }]) assert.ok(await starts(variables));
  startWith({ [name]: "7" });
  assert.ok(!(await starts({ [name]: "many" })));
  const toml = 'tls.cert = "/nope"\ntls.key = "/nope"\nspam.rules = "/nope"\nmailboxes.encryption = "account"\n';
  writeFileSync(layout.settings, `${FILE}${toml}`);
  for (const kept of [servedFiles(layout).cert, layout.engineDb, join(layout.spamAssassinConf, "own.cf")]) {
    assert.ok(!(await starts({})), kept);
    put(kept, "");
  }
  assert.ok(await starts({}));
});
