import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { EVENT_TYPES } from "../../src/core/events/event-types.ts";
import { CHECKOUT } from "./checkout.ts";
import { runProgram } from "./commands.ts";
import { sendMail } from "./mail.ts";
import { startPrometheus } from "./prometheus.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";
import type { Running } from "./with-product.ts";

const EXAMPLES = join(CHECKOUT, "examples");
/** Grafana's values for its variables. */
const VARIABLES = [
  ["$__rate_interval", "1m"],
  ["$__range", "1h"],
  ["$instance", ".*"],
] as const;

type Dashboard = Readonly<{
  panels: readonly Readonly<{ title: string; targets: readonly Readonly<{ expr: string }>[] }>[];
  annotations: Readonly<{ list: readonly Readonly<{ expr: string }>[] }>;
}>;

export function monitoringTests({ lab, product }: Running): void {
  const folder = lab.path("prometheus");
  let text = "";
  before(async () => {
    mkdirSync(folder);
    cpSync(join(EXAMPLES, "prometheus"), folder, { recursive: true });
    const token = await product.makeToken("prometheus", "--scope", "viewer");
    writeFileSync(join(folder, "ghostinbox-token"), token);
    const web = await WebClient.local(lab.server);
    await sendMail({ host: lab.sender, from: "198.51.100.83" });
    ({ text } = await web.bearing(token).ask("GET", "/metrics"));
  });

  test("promtool accepts the metrics, the rules and the configuration", async () => {
    const promtool = async (argv: readonly string[], input = "") => {
      const { code, stdout, stderr } = await runProgram(["promtool", "check", ...argv], { input });
      return [code, `${stdout}${stderr}`] as const;
    };
    assert.deepEqual(await promtool(["metrics"], text), [0, ""]);
    assert.notEqual((await promtool(["metrics"], text.replaceAll("_total", "")))[0], 0, "promtool judges them");
    const [code, says] = await promtool(["config", join(folder, "prometheus.yml")]);
    assert.equal(code, 0, says);
    assert.match(says, /SUCCESS: \d+ rules found/);
    const rules = expressions().map((expr, at) => ({ record: `dashboard:expression_${at}`, expr }));
    writeFileSync(join(folder, "dashboard.yml"), JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const [parsed, whyNot] = await promtool(["rules", join(folder, "dashboard.yml")]);
    assert.equal(parsed, 0, whyNot);
  });

  test("each metric, label and type of event that they name is there", () => {
    const rules = readFileSync(join(folder, "ghostinbox-alerts.yml"), "utf8");
    const texts = [...expressions(), rules];
    const metrics = new Set(Array.from(text.matchAll(/^# TYPE (\S+) /gm), ([, name]) => name));
    for (const name of new Set(texts.flatMap((one) => one.match(/ghostinbox_\w+/g) ?? [])))
      assert.ok(metrics.has(name), name);
    const types = [...texts.join("\n").matchAll(/type=~?"([^"]+)"/g)].flatMap(([, all = ""]) => all.split("|"));
    assert.ok(types.length > 20);
    const isKnown = (type: string) => EVENT_TYPES.some((known) => new RegExp(`^(?:${type})$`).test(known));
    for (const type of new Set(types)) assert.ok(isKnown(type), type);
  });

  test("a Prometheus with the example's configuration reads the server, and knows each number of the dashboard", async () => {
    const prometheus = await startPrometheus(lab.server, folder);
    try {
      for (const expression of [...expressions(), 'up{job="ghostinbox"} == 1', "ghostinbox_component_up == 1"]) {
        const mayBeNone = expression.endsWith("> 0");
        const finds = async (): Promise<boolean> => (await prometheus.count(expression)) > 0 || mayBeNone;
        await until(`${expression} finds something`, finds);
      }
      await until("the rules were tried", async () => {
        const rules = await prometheus.rules();
        return rules.length > 0 && rules.every(({ health }) => health === "ok");
      });
    } finally {
      await prometheus.stop();
    }
  });
}

/** The dashboard's queries, as Grafana sends them. */
function expressions(): readonly string[] {
  const text = readFileSync(join(EXAMPLES, "grafana", "ghostinbox.json"), "utf8");
  const { panels, annotations } = JSON.parse(text) as Dashboard;
  const all = [...panels.flatMap(({ targets }) => targets), ...annotations.list].map(({ expr }) => expr);
  return all.map((expr) => VARIABLES.reduce((filled, [name, value]) => filled.replaceAll(name, value), expr));
}
