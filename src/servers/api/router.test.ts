import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { startKit, until } from "../../../test/kit/api-kit.ts";
import { createHandlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { route } from "./route.ts";
import { createRouter } from "./router.ts";

const never = route({
  method: "GET",
  path: "/never",
  who: "anyone",
  bodyBytes: 0,
  says: "Does not answer.",
  run: () => new Promise<Response>(() => {}),
});

/** Sends a request past the network, from a client with this address. */
async function ask(parts: ApiParts, peer: string | undefined): Promise<Response> {
  const incoming = new IncomingMessage(new Socket());
  Object.defineProperty(incoming.socket, "remoteAddress", { value: peer });
  const outgoing = new ServerResponse(incoming);
  return createRouter([never], createHandlers(parts)).request("http://localhost/never", {}, { incoming, outgoing });
}

test("a handler that takes too long is answered for", async (t) => {
  const { parts } = await startKit(t);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let status = 0;
  void ask(parts, "127.0.0.1").then((response) => (status = response.status));
  await until(() => {
    t.mock.timers.tick(API_LIMITS.answerMs);
    return status !== 0;
  });
  assert.equal(status, 503);
});

test("a client that is gone before it was seen is not taken for somebody else", async (t) => {
  const { parts } = await startKit(t);
  assert.equal((await ask(parts, undefined)).status, 400);
});
