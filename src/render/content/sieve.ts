import { JUNK_HEADER } from "../rspamd/rules.ts";
import { RENDERED_BY, type RenderedFile } from "../site.ts";

/** The script that runs before each user's own (RFC 5228): spam, and mail whose author is not proven, goes to Junk. */
export function renderSieve(): RenderedFile {
  const text = `# ${RENDERED_BY}
require ["fileinto", "mailbox"];
if header :is "X-Spam-Flag" "YES" {
  fileinto :create "Junk";
  stop;
}
if exists "${JUNK_HEADER}" {
  fileinto :create "Junk";
  stop;
}
`;
  return { name: "junk.sieve", text, mode: 0o644 };
}
