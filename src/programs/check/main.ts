/** The daily checks: a separate process, started by the keeper as root. */
import { setTimeout as pause } from "node:timers/promises";
import { plural } from "../../core/text.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { systemClock } from "../../host/machine/clock.ts";
import { settingsInForce } from "../../host/machine/settings-text.ts";
import { changeCheckRecord, fallen, readCheckRecord } from "../../jobs/check/check-record.ts";
import { layoutFrom } from "../../settings/layout.ts";
import { serverOf } from "../../surfaces/cli/check/check.ts";
import { groups, runChecks, runDaily } from "../../surfaces/cli/check/run-checks.ts";
import { settingsOf } from "../../surfaces/cli/server-settings.ts";
import { connect } from "../command-line/connect.ts";

const { env } = process;
const layout = layoutFrom(env);
// An SSH session in which the server was started is not the caller's.
const own = { ...env, SSH_CONNECTION: "none" };
const call = { layout, env: own, now: () => systemClock.now(), ...connect(layout, env) };
const loaded = settingsInForce(layout, env) ?? settingsOf(call);
if (loaded.ok) {
  const names = groups.map(({ name }) => name);
  const { at, checks } = await runDaily(names, {
    kept: () => readCheckRecord(layout),
    look: (chosen) =>
      runChecks(
        groups.filter(({ name }) => chosen.includes(name)),
        serverOf(call, loaded.settings, false),
      ),
    pause: () => pause(MINUTE_MS),
    now: call.now,
  });
  changeCheckRecord(layout, { at, checks });
  const done = plural(Object.keys(checks).length, "check");
  console.log(`check: ${done} done; ${fallen({ checks }).length} that passed before fail now`);
} else console.error(`check: ${loaded.message}`);
// Databases stay open until the end: the last connection that closes a database removes the files beside it.
process.exit(loaded.ok ? 0 : 1);
