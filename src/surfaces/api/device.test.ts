import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceOf } from "./login.ts";

test("a browser is named in a few words, whatever else it claims to be like", () => {
  const of = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":
      "Chrome on Windows",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0":
      "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1":
      "Safari on iPhone",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/605":
      "Safari on macOS",
    "curl/7.88.1": "curl",
    "Mozilla/5.0 (Linux; Android 15) Something": "Android",
    "": "unknown device",
    "\u001b[31m<script>": "unknown device",
  };
  for (const [userAgent, device] of Object.entries(of)) assert.equal(deviceOf(userAgent), device, userAgent);
});
