import { RENDERED_BY, type RenderedFile } from "./site.ts";

/** The script that runs before each user's own (RFC 5228): what the filter called spam goes to Junk. */
export function renderSieve(): RenderedFile {
  const text = `# ${RENDERED_BY}
require ["fileinto", "mailbox"];
if header :is "X-Spam-Flag" "YES" {
  fileinto :create "Junk";
  stop;
}
`;
  return { name: "junk.sieve", text, mode: 0o644 };
}
