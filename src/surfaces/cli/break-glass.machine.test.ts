import assert from "node:assert/strict";
import { existsSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { commandLineOf, type Finished, json, start, startGuard, TIMED } from "../../../test/kit/test-guard.ts";
import { keepStrict } from "../../host/firewall/strict.ts";

const { layout } = commandLineOf(import.meta.filename);

/** Runs in a network namespace, to leave this machine's firewall alone. */
const WITH_NFT = { ...TIMED, skip: lacking({ root: true, installed: ["unshare", "setpriv", "nft"] }) };

describe("break-glass while the guard is down", WITH_NFT, () => {
  const inNamespace = (commands: string, ...more: readonly string[]): Promise<Finished> =>
    start(layout, "unshare", ["--net", ...more, "bash", "-c", commands]).ended;
  const nothing = { lifted: null, through: "kernel", tableDeleted: false, requested: false };

  test("deletes our table once, keeps others, and leaves a note for the guard's next start", async () => {
    await (await startGuard(layout)).stop();
    const tables = "nft add table inet ghostinbox; nft add table inet another";
    const twice = "./ghostinbox break-glass && nft list tables && ./ghostinbox break-glass --json";
    const finished = await inNamespace(`${tables}; ${twice}`);
    assert.equal(finished.code, 0, finished.err);
    const says = /The guard could not do it.*inet ghostinbox is deleted.*will lift every ban as soon as it can/;
    assert.match(finished.out, says);
    assert.match(finished.out, /^table inet another$/m);
    assert.doesNotMatch(finished.out, /^table inet ghostinbox$/m);
    assert.deepEqual(JSON.parse(/^\{[^]*/m.exec(finished.out)?.[0] ?? ""), { ...nothing, requested: true });
    assert.ok(existsSync(layout.breakGlass));
  });

  test("succeeds when there is nothing to delete", async () => {
    assert.deepEqual(json(await inNamespace("./ghostinbox break-glass --json")), nothing);
  });

  test("opens the strict firewall, which the next start would otherwise build again", async () => {
    keepStrict(layout, { confirmed: { doors: [], trusted: [] }, trial: null });
    const { code, out, err } = await inNamespace("./ghostinbox break-glass");
    assert.equal(code, 0, err);
    assert.match(out, /The strict firewall is open, until `\.\/ghostinbox firewall try`\./);
    assert.equal(existsSync(layout.strictFirewall), false);
  });

  test("opens both firewalls even if the disk is read-only, and says what it could not write", async () => {
    await (await startGuard(layout)).stop();
    keepStrict(layout, { confirmed: { doors: [], trusted: [] }, trial: null });
    const tables = "nft add table inet ghostinbox; nft add table inet ghostinbox_strict; nft add table inet another";
    const readOnly =
      'mount --bind "$GHOSTINBOX_DATA" "$GHOSTINBOX_DATA" && mount -o remount,ro,bind "$GHOSTINBOX_DATA"';
    const breaks = "! ./ghostinbox break-glass && nft list tables";
    const { code, out, err } = await inNamespace(`${tables}; ${readOnly}; ${breaks}`, "--mount");
    assert.deepEqual([code, out], [0, "table inet another\n"], err);
    const says = /inet ghostinbox is deleted\. The guard could not be asked to lift the bans: EROFS.*break-glass'\./;
    assert.match(err, says);
    const tells =
      /The strict firewall is open, but its record could not be changed \(EROFS.*firewall\.json'\): a running server closes it again\. If you are locked out again, stop the server with `.*ghostinbox stop`\.$/m;
    assert.match(err, tells);
    assert.doesNotMatch(err, /nft delete/, "both tables are gone");
  });

  test("leaves its request on a full disk", async () => {
    await (await startGuard(layout)).stop();
    const run = dirname(layout.breakGlass);
    const full = `mount -t tmpfs -o size=4k none ${run} && ! head -c 8k /dev/zero >${run}/other 2>/dev/null`;
    const finished = await inNamespace(`${full} && ./ghostinbox break-glass --json`, "--mount");
    assert.deepEqual(json(finished), { ...nothing, requested: true });
  });

  test("does not follow a link in place of the request", async () => {
    await (await startGuard(layout)).stop();
    const elsewhere = join(layout.data, "elsewhere");
    symlinkSync(elsewhere, layout.breakGlass);
    await inNamespace("./ghostinbox break-glass");
    assert.equal(existsSync(elsewhere), false);
  });
});

test("break-glass fails while the strict firewall stays closed", WITH_NFT, async (t) => {
  const guard = await startGuard(layout);
  t.after(() => guard.stop());
  keepStrict(layout, { confirmed: { doors: [], trusted: [] }, trial: null });
  const powerless = ["--net", "setpriv", "--bounding-set", "-net_admin", "./ghostinbox", "break-glass"];
  const { code, err } = await start(layout, "unshare", powerless).ended;
  const says =
    /^0 bans lifted; .* The strict firewall could not be opened: .* nft delete table inet ghostinbox_strict$/m;
  assert.match(err, says);
  assert.equal(code, 1);
});
