import type { AddressAnswer, Stats } from "../src/wire/control/items.ts";
import { eventOf, get, post, Refused, remove } from "./api.ts";
import { BanPages } from "./bans.ts";
import { byId } from "./element.ts";
import { EventList } from "./events.ts";
import { type Actions, showOverview } from "./overview.ts";
import { showWhy } from "./why.ts";

const REFRESH_MS = 30_000;
/** After news, until the figures are asked for again: a flood asks once in this time. */
const SETTLE_MS = 1_000;
const RECONNECT_MS = 5_000;

const actions: Actions = {
  why: (ip) => attempt(async () => showWhy(ip, await get<AddressAnswer>(`/api/v1/why/${ip}`), actions)),
  ban: (ip) => attempt(() => ban({ ip, reason: "From the dashboard" }, `${ip} is banned.`)),
  unban: (prefix) =>
    attempt(async () => {
      await remove(`/api/v1/bans/${prefix}`);
      announce(`${prefix} is no longer banned.`);
      await refresh();
    }),
};
const events = new EventList(actions);
const bans = new BanPages(actions, () => attempt(refresh));
let stream: EventSource | null = null;
let settling: number | undefined;

async function refresh(): Promise<void> {
  const stats = await get<Stats>("/api/v1/stats");
  showOverview(stats, actions);
  await bans.show(stats.bans);
  events.add(stats.events);
}

async function ban(request: Readonly<Record<string, string>>, done: string): Promise<void> {
  await post("/api/v1/bans", request);
  announce(done);
  await refresh();
}

/** Runs what a click asked for; says what the server said if it refused. */
function attempt(run: () => Promise<void>): void {
  run().catch((error: unknown) => {
    if (error instanceof Refused && error.status === 401) return leave();
    announce(error instanceof Error ? error.message : String(error), true);
  });
}

function announce(text: string, isError = false): void {
  const place = byId("announce", HTMLElement);
  place.textContent = text;
  place.className = `announce shown ${isError ? "bad" : "good"}`;
  setTimeout(() => {
    if (place.textContent === text) place.className = "announce";
  }, 6_000);
}

function follow(): void {
  stream?.close();
  const live = byId("live", HTMLElement);
  const say = (text: string, status: string): void => {
    live.textContent = text;
    live.className = `pill ${status}`;
  };
  const source = new EventSource(`/api/v1/events/stream?after=${events.newestId}`);
  stream = source;
  source.addEventListener("open", () => say("live", "ok"));
  source.addEventListener("error", () => {
    say("reconnecting", "degraded");
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (stream === source) attempt(enter);
    }, RECONNECT_MS);
  });
  source.addEventListener("message", ({ data }) => {
    events.add([eventOf(data)]);
    settling ??= window.setTimeout(() => {
      settling = undefined;
      attempt(refresh);
    }, SETTLE_MS);
  });
}

async function enter(): Promise<void> {
  await refresh();
  show("dashboard");
  follow();
}

function leave(): void {
  stream?.close();
  stream = null;
  show("sign-in");
  byId("password", HTMLInputElement).focus();
}

function show(which: "dashboard" | "sign-in"): void {
  byId("dashboard", HTMLElement).hidden = which !== "dashboard";
  byId("sign-in", HTMLElement).hidden = which !== "sign-in";
}

function fieldsOf(form: HTMLFormElement): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value !== "") fields[name] = value;
  return fields;
}

function onSubmit(id: string, run: (form: HTMLFormElement) => void): void {
  const form = byId(id, HTMLFormElement);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form);
  });
}

onSubmit("sign-in-form", (form) => {
  const error = byId("sign-in-error", HTMLElement);
  const password = byId("password", HTMLInputElement);
  error.textContent = "";
  post("/api/v1/login", { password: password.value })
    .then(() => {
      form.reset();
      return enter();
    })
    .catch((reason: unknown) => {
      error.textContent = reason instanceof Error ? reason.message : String(reason);
      password.select();
    });
});
onSubmit("ban-form", (form) => {
  const request = fieldsOf(form);
  attempt(async () => {
    await ban(request, `${request["ip"]} is banned.`);
    form.reset();
    form.hidden = true;
  });
});
byId("ban-open", HTMLButtonElement).addEventListener("click", () => {
  const form = byId("ban-form", HTMLFormElement);
  form.hidden = !form.hidden;
  if (!form.hidden) form.querySelector("input")?.focus();
});
byId("sign-out", HTMLButtonElement).addEventListener("click", () =>
  attempt(async () => {
    await post("/api/v1/logout", {});
    leave();
  }),
);
byId("why-close", HTMLButtonElement).addEventListener("click", () => byId("why", HTMLDialogElement).close());
setInterval(() => {
  if (stream !== null && document.visibilityState === "visible") attempt(refresh);
}, REFRESH_MS);
attempt(enter);
