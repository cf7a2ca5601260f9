import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { endProgram } from "./commands.ts";
import type { Host } from "./host.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";

/** The parts of an answer that tests read (https://prometheus.io/docs/prometheus/latest/querying/api/). */
const queried = z.object({ data: z.object({ result: z.array(z.unknown()) }) });
const rules = z.array(z.object({ name: z.string(), health: z.string() }));
const ruled = z.object({ data: z.object({ groups: z.array(z.object({ rules })) }) });

/** Prometheus on a host of the lab, with the configuration in this folder, but scraping each second. It ends with `stop`. */
export async function startPrometheus(host: Host, folder: string) {
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("_interval: 30s", "_interval: 1s"));
  const argv = [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, "--web.listen-address=127.0.0.1:9090"];
  const web = await WebClient.local(host, 9_090);
  const child = host.spawn(["prometheus", ...argv]);
  await until("Prometheus is ready", async () => (await web.ask("GET", "/-/ready")).status === 200);
  return {
    /** Evaluates an expression now; returns how many series it finds. Throws if Prometheus refuses it. */
    count: async (expression: string): Promise<number> => {
      const answer = await web.ask("GET", `/api/v1/query?query=${encodeURIComponent(expression)}`);
      if (answer.status !== 200) throw new Error(`${expression}: ${answer.text}`);
      return queried.parse(answer.json()).data.result.length;
    },
    rules: async () => {
      const { data } = ruled.parse((await web.ask("GET", "/api/v1/rules")).json());
      return data.groups.flatMap((group) => group.rules);
    },
    stop: () => endProgram(child),
  };
}
