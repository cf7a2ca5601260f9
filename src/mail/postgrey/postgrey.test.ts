import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { renderPostgrey } from "./postgrey.ts";

test("Postgrey runs as its own user, with our directories and the delay of the settings", () => {
  const { name, text, mode } = renderPostgrey(sampleSite({ greylist: { enabled: true, delaySeconds: 90 } }));
  assert.deepEqual([name, mode], ["command", 0o755]);
  const [, , ...lines] = text.trimEnd().split(" \\\n  ").join(" ").split("\n");
  assert.deepEqual(lines, [
    "exec setpriv --reuid postgrey --regid postgrey --init-groups --bounding-set=-all --no-new-privs postgrey " +
      "--unix=/srv/mail/spool/postfix/postgrey/socket --socketmode=0660 --quiet --dbdir=/srv/mail/lib/postgrey --delay=90 " +
      "--auto-whitelist-clients=1 --hostname=mail.example.org " +
      "--greylist-text='Temporarily unavailable, try again later'",
  ]);
});

test("a stranger learns nothing about the mechanism", () => {
  const text = /--greylist-text='([^']*)'/.exec(renderPostgrey(sampleSite()).text)?.[1] ?? "";
  assert.notEqual(text, "");
  assert.doesNotMatch(text, /gr[ea]y|list|delay|second|postgrey|first/i);
});

test("if greylisting is off, a process that does nothing runs instead", () => {
  const { text } = renderPostgrey(sampleSite({ greylist: { enabled: false, delaySeconds: 90 } }));
  assert.match(text, /sleep infinity\n$/);
  assert.doesNotMatch(text, /--unix/);
});
