import assert from "node:assert/strict";
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { contentOf, put } from "../../../test/kit/files.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { sampleSite, senders, shippedJails } from "../../../test/kit/sample-site.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { prepareCertificate } from "../../programs/set-up/certificate.ts";
import { layoutOf } from "../../settings/layout.ts";
import { readFilter, STOCK_DIRECTORY, STOCK_FILTERS } from "../fail2ban/adopt-filters.ts";
import { fetchedRules } from "../spamassassin/spamassassin-conf.ts";
import { applyConfiguration } from "./apply.ts";
import { partsOf } from "./parts.ts";
import type { Site } from "./site.ts";

// Postfix checks its configuration for root only.
const skip = lacking({ root: true, installed: ["postconf", "doveconf", "unbound-checkconf", "fail2ban-client"] });

/** With the real postconf, postfix check and doveconf; starts no server. */
describe("applying a configuration", { skip }, () => {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  const layout = layoutOf(directory);
  const stock = STOCK_FILTERS.map((name) => readFilter(STOCK_DIRECTORY, name));
  const site = (changes: Partial<Site> = {}): Site =>
    sampleSite({ layout, fail2ban: { enabled: true, stock, own: [], ...shippedJails() }, ...changes });
  const main = (): string => contentOf(join(layout.postfixConf, "main.cf"));

  before(async () => {
    const { tls, dovecotConf, postfixQueue, postfixData, log, dkimKeys } = layout;
    const queues = ["active", "bounce", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "trace"];
    const others = queues.map((name) => join(postfixQueue, name));
    for (const made of [tls, dirname(dovecotConf), postfixData, log, dkimKeys, ...others])
      mkdirSync(made, { recursive: true });
    // SpamAssassin loads it, as its own user.
    mkdirSync(layout.program);
    copyFileSync(join("security", basename(layout.perUserBayes)), layout.perUserBayes);
    // Fail2ban checks that its logs exist.
    for (const file of [layout.mailLog, layout.webLog]) put(file);
    // Postfix complains about other owners, in a log that no program reads yet, which takes a second each time.
    const postfix = userIds("postfix");
    chownSync(layout.postfixData, postfix.uid, postfix.gid);
    await prepareCertificate(settingsWith(), layout);
  });

  test("every component accepts its rendered files", async () => {
    // SpamAssassin checks everything that it would read as soon as the owner has rules.
    const spam = { ...sampleSite().spam, allowFrom: senders("*@example.com"), ownRules: "score GTUBE 900\n" };
    const whole = site({ spam });
    // No setting fixes faulty fetched rules, so the package's decide.
    put(join(fetchedRules(layout), "20_fetched.cf"), "nonsense 1\n");
    const all = [...new Set(partsOf(whole).map(({ service }) => service))];
    assert.deepEqual(await applyConfiguration(whole), { ok: true, changed: all, unused: null });
    const wrong = site({ spam: { ...spam, ownRules: "nonsense 1\n" } });
    const refused = reasonOf(await applyConfiguration(wrong, { only: ["spamd"] }));
    assert.match(refused, /^SpamAssassin refuses its configuration \(settings spam\.\*\)/);
  });

  test("a configuration that a checker refuses changes nothing, and the reason is reported", async () => {
    const good = main();
    const dovecot = contentOf(layout.dovecotConf);
    const broken = { ...layout, tlsServed: join(directory, "none") };
    const wrong = site({ layout: broken, messageSizeBytes: 70_000 });
    const refused = reasonOf(await applyConfiguration(wrong, { only: ["postfix", "dovecot"] }));
    assert.match(refused, /^Dovecot refuses its configuration: .*none\/cert\.pem/);
    assert.equal(main(), good);
    assert.equal(contentOf(layout.dovecotConf), dovecot);
    assert.ok(!existsSync(`${layout.postfixConf}.staged`));
  });

  test("Unbound checks the files in settings, and its error names the settings", async () => {
    const { dns } = sampleSite();
    for (const wrong of [{ trustAnchor: join(directory, "none.key") }, { rootHints: join(directory, "none.hints") }]) {
      const refused = reasonOf(await applyConfiguration(site({ dns: { ...dns, ...wrong } }), { only: ["unbound"] }));
      assert.match(refused, /^Unbound refuses its configuration \(settings dns\.\*\): .*none\./);
    }
  });

  test("main.cf looks old enough for Postfix to read it once", async () => {
    put(join(layout.postfixConf, "main.cf"), "");
    assert.ok((await applyConfiguration(site(), { isServing: true })).ok);
    assert.ok(statSync(join(layout.postfixConf, "main.cf")).mtimeMs <= Date.now() - 2_000);
  });

  test("only files that differ are replaced, even after manual edits, and only they are reported", async () => {
    put(join(layout.postfixConf, "main.cf"), "mynetworks = 0.0.0.0/0\n");
    const applied = await applyConfiguration(site({ messageSizeBytes: 20_000_000 }));
    assert.deepEqual(applied, { ok: true, changed: ["postfix", "dovecot", "spamass-milter"], unused: null });
    assert.match(main(), /^mynetworks = 127/m);
    assert.match(main(), /^message_size_limit = 20000000$/m);
  });
  test("while the server runs, an unchanged component is not checked again, except for files of the owner", async () => {
    const whole = site();
    assert.ok((await applyConfiguration(whole, { isServing: true })).ok);
    // Fail2ban refuses missing logs.
    const aside = `${layout.mailLog}.aside`;
    renameSync(layout.mailLog, aside);
    assert.deepEqual(await applyConfiguration(whole, { isServing: true }), { ok: true, changed: [], unused: null });
    assert.equal((await applyConfiguration(whole, { only: ["fail2ban"] })).ok, false);
    const off = site({ fail2ban: { ...whole.fail2ban, enabled: false } });
    assert.ok((await applyConfiguration(off, { only: ["fail2ban"] })).ok, "a disabled component is not checked");
    renameSync(aside, layout.mailLog);
    const rootHints = join(directory, "own.hints");
    put(rootHints, ". NS a.root.test.\na.root.test. A 198.51.100.53\n");
    const hinted = site({ dns: { ...sampleSite().dns, rootHints } });
    assert.ok((await applyConfiguration(hinted, { only: ["unbound"] })).ok);
    rmSync(rootHints);
    assert.equal((await applyConfiguration(hinted, { only: ["unbound"], isServing: true })).ok, false);
  });
});
