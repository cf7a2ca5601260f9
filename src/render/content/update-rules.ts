import type { Layout } from "../../settings/layout.ts";
import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";

/** The rules of Debian's package, until there are others. */
export const PACKAGED_RULES = "/usr/share/spamassassin";

/** The directory of the rules in use instead. */
export function fetchedRules({ spamRules }: Layout): string {
  return `${spamRules}/current/`;
}

/** Exit codes of the program below, in addition to 1 for a failure: new rules are in use; the rules in use are the newest. */
export const UPDATED = 0;
export const NOTHING_NEW = 10;

/** The path of the rendered program. */
export const UPDATE_RULES = "update-rules";

/**
 * Fetches rules as spamd's user, by sa-update(1p), which accepts only rules signed by a trusted key. They take effect
 * once SpamAssassin reads them together with our configuration without errors; until then the old ones stay.
 * sa-update runs with Perl's taint check, so only /etc/resolv.conf determines its resolver.
 * The last line that it prints is the version in use, or what failed.
 */
export function renderUpdateRules({ layout, spam: { updates } }: Site): RenderedFile {
  const { spamRules: rules, spamState, spamAssassinConf } = layout;
  const fetched = `${rules}/fetched/${updates.channel}`;
  const text = `#!/bin/sh
# ${RENDERED_BY}
set -u
umask 077
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=${spamState}
cd ${spamState} && mkdir -p ${fetched} ${rules}/keys && chmod 700 ${rules}/keys || exit 1
fails() { echo "$1" | tail -n 1; exit 1; }
key=''
if [ -n '${updates.keyFile}' ]; then
  said=$(sa-update --gpghomedir ${rules}/keys --import '${updates.keyFile}' 2>&1) || fails "$said"
  key=$(gpg --homedir ${rules}/keys --with-colons --show-keys '${updates.keyFile}' 2>/dev/null | sed -n 's/^fpr:*\\([0-9A-F]*\\):.*/\\1/p' | head -n 1)
fi
said=$(sa-update --channel ${updates.channel} --updatedir ${fetched} --gpghomedir ${rules}/keys \${key:+--gpgkey "$key"} 2>&1)
status=$?
# 0: there is a new version; 1: there is none (sa-update(1p), EXIT CODES).
[ $status -le 1 ] || fails "sa-update ended with $status: $said"
[ -n "$(ls -A ${fetched})" ] || fails "the channel ${updates.channel} has no rules"
version=$(sed -n 's/^# UPDATE version //p' ${fetched}/*.cf | head -n 1)
if diff -rq ${fetched} ${rules}/current/ >/dev/null 2>&1; then echo "$version"; exit ${NOTHING_NEW}; fi
said=$(spamassassin --lint --local --configpath=${fetched} --siteconfigpath=${spamAssassinConf} --prefspath=/dev/null 2>&1) || fails "the new rules have errors: $said"
next=${rules}/set-$(date +%s)-$$
cp -R ${fetched} "$next" && ln -sfn "$next" ${rules}/next && mv -T ${rules}/next ${rules}/current || fails "the new rules could not be stored"
for old in ${rules}/set-*; do [ "$old" = "$next" ] || rm -rf "$old"; done
echo "$version"
exit ${UPDATED}
`;
  return { name: UPDATE_RULES, text, mode: 0o755 };
}
