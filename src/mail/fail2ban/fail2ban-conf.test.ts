import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite, shippedJails } from "../../../test/kit/sample-site.ts";
import type { Site } from "../configuration/site.ts";
import { renderFail2ban } from "./fail2ban-conf.ts";

const own = { name: "mine", text: "[Definition]\nfailregex = x <HOST>\n" };
const files = rendered(shippedJails());
const jails = jailsIn(files);

function rendered(changes: Pick<Site["fail2ban"], "jails" | "ownJail">): ReadonlyMap<string, string> {
  const site = sampleSite({ fail2ban: { enabled: true, stock: [], own: [own], ...changes } });
  return new Map(renderFail2ban(site).map(({ name, text }) => [name, text]));
}

function jailsIn(conf: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const sections = (conf.get("jail.conf") ?? "").split(/^\[/m);
  return new Map(sections.map((section) => [section.slice(0, section.indexOf("]")), section]));
}

test("a jail has the values of the settings, or is off", () => {
  const shipped = shippedJails();
  const changed = shipped.jails.map((jail) =>
    jail.name === "dovecot" ? { ...jail, enabled: false } : { ...jail, limit: 7, windowMs: 60_000, banMs: 3_600_000 },
  );
  const found = jailsIn(rendered({ jails: changed, ownJail: { ...shipped.ownJail, limit: 9 } }));
  assert.match(found.get("dovecot") ?? "", /^enabled = false$/m);
  assert.doesNotMatch(found.get("postfix") ?? "", /^enabled/m);
  assert.match(found.get("postfix") ?? "", /^maxretry = 7\nfindtime = 60\nbantime = 3600$/m);
  assert.match(found.get("mine") ?? "", /^maxretry = 9$/m);
});

test("Fail2ban bans no address itself, and ignores only our own probes", () => {
  const defaults = jails.get("DEFAULT") ?? "";
  assert.match(defaults, /^action = ghostinbox\.py\[spool="\/srv\/mail\/spool\/fail2ban"\]$/m);
  assert.match(defaults, /^ignoreip = 127\.71\.9\.25 127\.71\.9\.26$/m);
  assert.match(defaults, /^usedns = no$/m);
  assert.equal((files.get("jail.conf") ?? "").match(/^action =/gm)?.length, 1);
});
