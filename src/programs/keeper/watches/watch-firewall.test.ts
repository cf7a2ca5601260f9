import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../../test/kit/loaded-settings.ts";
import { door, opening } from "../../../../test/kit/samples.ts";
import { type Door, type StrictState, UNCONFIRMED } from "../../../core/firewall/strict.ts";
import type { Isolation } from "../../../core/incident/incident.ts";
import { nftStrict } from "../../../host/firewall/strict-rules.ts";
import type { Settings } from "../../../settings/schema.ts";
import { createFirewallWatch, createIsolationWatch } from "./watch-firewall.ts";

function settings(toml: string): Settings {
  return settingsWith(`[firewall]\n${toml}`);
}

const STRICT = 'mode = "strict"\n';
const OPEN = ["22/tcp", "25/tcp", "465/tcp", "587/tcp", "993/tcp"].map(door);

function portDoor(port: number): Door {
  return door(`${port}/tcp`);
}

/** A kernel that holds one table, and a file that holds the state. */
class Machine {
  state: StrictState = UNCONFIRMED;
  table = "";
  loads = 0;
  fails = false;
  isUnreadable = false;
  isSsBroken = false;
  /** Null: no program reports it. */
  sshPort: number | null = 22;
  /** Another program removes the table as soon as it is created. */
  losesNext = false;
  settings: Settings;
  readonly watch: ReturnType<typeof createFirewallWatch>;

  constructor(toml: string) {
    this.settings = settings(toml);
    this.watch = createFirewallWatch(
      {
        read: () => this.state,
        keep: (state) => (this.state = state),
        list: () => Promise.resolve(this.isUnreadable ? null : this.table),
        load: (confirmed, trial) => {
          this.loads += 1;
          if (this.fails) return Promise.resolve({ ok: false, reason: "nft failed" });
          const text = nftStrict(confirmed, trial).replaceAll(/timeout (\d+s)/g, "timeout $1 expires $1");
          this.table = (confirmed === null && trial === null) || this.losesNext ? "" : text;
          this.losesNext = false;
          return Promise.resolve({ ok: true });
        },
        ssh: (session, otherwise = [door("22/tcp")]) =>
          Promise.resolve(
            this.sshPort === null ? otherwise : [this.sshPort, ...(session === null ? [] : [session])].map(portDoor),
          ),
        connections: (except) => Promise.resolve(this.isSsBroken ? null : [`open except ${except.length}`]),
      },
      () => this.settings,
    );
  }

  async look(changes: Partial<Machine> = {}): Promise<void> {
    Object.assign(this, changes);
    await this.watch.look();
  }

  /** The kernel rolls the trial back. */
  expire(): void {
    this.table = this.table.replaceAll(/ expires \d+s/g, "");
  }

  codes(): readonly string[] {
    return this.watch.troubles().map(({ code }) => code);
  }
}

async function confirmed(toml = STRICT, sshPort = 22): Promise<Machine> {
  const machine = new Machine(toml);
  machine.sshPort = sshPort;
  await machine.watch.begin(null);
  assert.deepEqual(await machine.watch.confirm(), { ok: true, detail: "" });
  return machine;
}

test("without strict mode there is no table, and nothing can be confirmed", async () => {
  const machine = new Machine("");
  const before = { doors: OPEN, trusted: [] };
  await machine.look({ table: nftStrict(before, null), state: { confirmed: before, trial: null } });
  await machine.look();
  assert.deepEqual([machine.table, machine.state, machine.loads], ["", UNCONFIRMED, 1]);
  assert.match(JSON.stringify(await machine.watch.begin(null)), /firewall\.mode is not strict/);
});

test("a strict firewall that cannot be opened stays recorded, and the next check opens it", async () => {
  const machine = await confirmed();
  const { table, state } = machine;
  for (const how of [{ fails: true }, { fails: true, isUnreadable: true }])
    await assert.rejects(machine.look({ settings: settings(""), ...how }), /could not be opened: nft failed/);
  assert.deepEqual([machine.table, machine.state], [table, state]);
  await machine.look({ fails: false, isUnreadable: false });
  assert.deepEqual([machine.table, machine.state], ["", UNCONFIRMED]);
  const withoutNft = new Machine("");
  await withoutNft.look({ fails: true, isUnreadable: true });
});

test("nothing is strict before a trial was confirmed, and the state shows it", async () => {
  const machine = new Machine(STRICT);
  await machine.look();
  assert.deepEqual([machine.table, machine.codes()], ["", []]);
  await machine.look();
  assert.deepEqual([machine.table, machine.codes()], ["", ["firewall_unconfirmed"]]);
  assert.deepEqual(await machine.watch.begin(2200), { ok: true, detail: "", count: 120 });
  assert.deepEqual(machine.codes(), []);
  assert.deepEqual(machine.state.trial?.opening.doors, [...OPEN.slice(0, 4), "993/tcp", "2200/tcp"]);
  assert.deepEqual(machine.state.trial?.connections, ["open except 8"]);
  const { loads } = machine;
  await machine.look();
  assert.equal(machine.loads, loads, "a trial is the kernel's");
  machine.expire();
  assert.match(JSON.stringify(await machine.watch.confirm()), /it was undone/);
  await machine.look();
  assert.deepEqual([machine.table, machine.state, machine.codes()], ["", UNCONFIRMED, ["firewall_unconfirmed"]]);
});

test("restores a confirmed firewall, and adds new needs of settings and SSH", async () => {
  const machine = await confirmed();
  assert.deepEqual(machine.state, { confirmed: { doors: OPEN, trusted: [] }, trial: null });
  await machine.look();
  const { loads } = machine;
  await machine.look();
  assert.equal(machine.loads, loads);
  await machine.look({ table: machine.table.replace("tcp dport 25 accept", "accept") });
  assert.match(machine.table, /tcp dport 25 accept/);
  await machine.look({ settings: settings(`${STRICT}open = ["443/tcp"]\n`) });
  assert.match(machine.table, /tcp dport 443 accept/);
  assert.ok(machine.state.confirmed?.doors.includes(door("443/tcp")));
  await machine.look({ table: "", losesNext: true });
  assert.equal(machine.table, "", "it was removed again while it was created");
  await machine.look();
  assert.match(machine.table, /tcp dport 443 accept/);
  await machine.look({ table: "", fails: true });
  assert.deepEqual(machine.codes(), ["firewall_not_strict"]);
  await machine.look({ fails: false });
  assert.deepEqual(machine.codes(), []);
  await machine.look({ isUnreadable: true });
  assert.deepEqual(machine.watch.troubles(), [{ code: "firewall_not_strict", detail: "the firewall cannot be read" }]);
});

test("SSH that cannot be found for a while opens no other port", async () => {
  const machine = await confirmed(STRICT, 2222);
  for (const sshPort of [null, 2222, null]) for (let looks = 0; looks < 12; looks += 1) await machine.look({ sshPort });
  assert.deepEqual(machine.state.confirmed?.doors, [...OPEN.slice(1), "2222/tcp"]);
});

test("a confirmed opening is closed only by a trial, and stays open if the trial ends", async () => {
  const machine = await confirmed(`${STRICT}open = ["443/tcp"]\n`);
  await machine.look({ settings: settings(STRICT) });
  const old = opening(["22/tcp", "25/tcp", "443/tcp", ...OPEN.slice(2)]);
  assert.deepEqual(machine.state.confirmed, old);
  await machine.watch.begin(null);
  assert.match(machine.table, /chain trial[^]*chain confirmed[^]*tcp dport 443 accept/);
  assert.deepEqual(await machine.watch.takeBack(), { ok: true, detail: "" });
  assert.deepEqual(machine.state, { confirmed: old, trial: null });
  assert.match(JSON.stringify(await machine.watch.takeBack()), /nothing is waiting/);
  await machine.watch.begin(null);
  await machine.watch.confirm();
  assert.deepEqual(machine.state.confirmed?.doors, OPEN);
  machine.settings = settings(`${STRICT}open = ["80/tcp"]\n`);
  assert.match(JSON.stringify(await machine.watch.begin(null)), /No open port is closed/);
});

test("a trial that the kernel refuses changes nothing", async () => {
  const machine = new Machine(STRICT);
  machine.fails = true;
  assert.deepEqual(await machine.watch.begin(null), { ok: false, reason: "nft failed" });
  assert.deepEqual(machine.state, UNCONFIRMED);
  machine.fails = false;
  machine.isSsBroken = true;
  const { loads } = machine;
  assert.match(JSON.stringify(await machine.watch.begin(null)), /ss\(8\) does not show/);
  assert.deepEqual([machine.state, machine.loads], [UNCONFIRMED, loads], "an open session could confirm it");
  machine.isSsBroken = false;
  await machine.watch.begin(null);
  const before = machine.state;
  machine.fails = true;
  assert.deepEqual(await machine.watch.confirm(), { ok: false, reason: "nft failed" });
  assert.deepEqual(machine.state, before);
  assert.deepEqual(await machine.watch.takeBack(), { ok: false, reason: "nft failed" });
});

const AT = "2026-11-20T08:00:00.000Z";
const ISOLATION: Isolation = { incident: "2026-11-20-x", since: AT, allow: [], ssh: [22], shut: ["sign-in", "send"] };

test("a removed table is restored, and the isolation is reported until it is lifted", async () => {
  const state = { isolation: null as Isolation | null, isThere: false, fails: false, made: 0, removed: 0 };
  /** What happens to the isolation while the table is checked. */
  let during = (): void => undefined;
  const watch = createIsolationWatch({
    recorded: () => state.isolation,
    isApplied: () => {
      during();
      return Promise.resolve(state.isThere);
    },
    apply: () => {
      state.made += 1;
      state.isThere = !state.fails;
      return Promise.resolve(state.fails ? { ok: false, reason: "nft failed" } : { ok: true });
    },
    clear: () => {
      state.removed += 1;
      state.isThere = false;
      return Promise.resolve({ ok: true });
    },
  });
  const look = async (changes: Partial<typeof state> = {}): Promise<void> => {
    Object.assign(state, changes);
    await watch.look();
  };
  await look();
  assert.deepEqual([watch.troubles(), state.made], [[], 0]);
  await look({ isolation: ISOLATION });
  await look();
  const reported = {
    code: "isolated",
    detail: "since 2026-11-20 08:00 UTC (incident 2026-11-20-x); still closed: sign-in, send",
  };
  assert.deepEqual([watch.troubles(), state.made], [[reported], 1]);
  await look({ isThere: false, fails: true });
  assert.deepEqual([watch.troubles(), state.made], [[reported, { code: "isolation_broken", detail: "nft failed" }], 2]);
  await look({ isolation: null });
  assert.deepEqual(watch.troubles(), []);
  during = () => void (state.isolation = null);
  await look({ isolation: ISOLATION });
  assert.deepEqual([watch.troubles(), state.made], [[], 2], "an isolation lifted during the check is not restored");
  assert.equal(state.removed, 0);
  await look({ isThere: true });
  assert.deepEqual([state.removed, state.isThere], [1, false], "a table without an isolation is removed");
  await look();
  await look({ isThere: true });
  assert.deepEqual([state.removed, state.isThere], [1, true], "no check searches for it until the next isolation");
  during = () => void (state.isolation = ISOLATION);
  await look({ isolation: ISOLATION });
  await look({ isolation: null });
  assert.deepEqual([state.removed, state.isThere], [1, true], "a table of a new isolation stays");
});
