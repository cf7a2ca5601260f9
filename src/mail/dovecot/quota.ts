import { dirname, join } from "node:path";
import { USERS } from "../../settings/layout.ts";
import { type RenderedFile, renderedScript, type Site } from "../configuration/site.ts";
import { MAILBOX_FULL } from "../logs/patterns.ts";

/** The socket in Postfix's `private` directory on which Dovecot reports whether a mailbox has room for a mail. */
export const QUOTA_SOCKET = "quota-status";

const WARNING_SCRIPT = "quota-warning";
/** Percent of the quota from which its owner gets a warning, highest first, because Dovecot uses the first that matches. */
const WARNED_AT = [95, 80];

/** Percent of the quota that the folder Trash may hold in addition: mail programs delete by copying into it. */
export const MORE_IN_TRASH = 10;

/**
 * Disk space that even a one-byte mail takes: an inode, and ext4 has one for each 16 KB (inode_ratio in mke2fs.conf(5)). A quota only in
 * bytes would let tiny mails fill any disk.
 */
export const LEAST_OF_A_MAIL = 16_384;

/** The maximum number of mails in a mailbox with this quota. */
export function mostMails(quotaBytes: number): number {
  return Math.ceil(quotaBytes / LEAST_OF_A_MAIL);
}

/**
 * Quotas of mailboxes (https://doc.dovecot.org/2.3/configuration_manual/quota/), for `plugin { }`. The userdb overrides them for single
 * accounts. The refusal is temporary, so the owner has time: the sender's server tries again for days.
 */
export function quotaPlugin({ mailboxQuotaBytes, messageSizeBytes }: Site): string {
  const marks = WARNED_AT.flatMap((percent) => ["storage", "messages"].map((of) => ({ of, percent })));
  const warnings = marks.map(({ of, percent }, i) => {
    const name = `quota_warning${i === 0 ? "" : i + 1}`;
    return `  ${name} = ${of}=${percent}%% ${WARNING_SCRIPT} ${percent} %u %h`;
  });
  return `  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:bytes=${mailboxQuotaBytes}:messages=${mostMails(mailboxQuotaBytes)}
  quota_rule2 = Trash:storage=+${MORE_IN_TRASH}%%:messages=+${MORE_IN_TRASH}%%
  # Postfix asks before it knows the size, so one accepted mail may exceed the quota.
  quota_grace = ${messageSizeBytes}B
  quota_exceeded_message = ${MAILBOX_FULL}
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = 452 4.2.2 ${MAILBOX_FULL}
${warnings.join("\n")}`;
}

/** Maximum clients of one process that answers Postfix. */
const CLIENTS = 10;

/** The quota's services: the one that Postfix asks, and the one that warns owners. */
export function quotaServices({ layout, limits, proxied }: Site): string {
  return `service quota-status {
  executable = quota-status -p postfix
  # Each smtpd keeps a connection. A process answers one after another, about two milliseconds each.
  client_limit = ${CLIENTS}
  process_limit = ${Math.ceil(((proxied === null ? 3 : 6) * limits.smtpPlaces) / CLIENTS)}
  unix_listener ${join(layout.postfixQueue, "private", QUOTA_SOCKET)} {
    mode = 0600
    user = postfix
    group = postfix
  }
}
service quota-warning {
  executable = script ${join(dirname(layout.dovecotConf), WARNING_SCRIPT)}
  user = ${USERS.mail}
  unix_listener ${WARNING_SCRIPT} {
    mode = 0600
    user = ${USERS.mail}
  }
}`;
}

/**
 * Delivers a warning to a mailbox that fills up, as the owner of all Maildirs and without any other right. Dovecot passes
 * the percentage, the account and its home.
 */
export function renderQuotaWarning({ hostname, domains }: Site): RenderedFile {
  const text = `set -eu
umask 077
export PATH=/usr/bin:/bin LC_ALL=C
percent=$1 account=$2 maildir=$3/Maildir
name=$(date +%s).Q$$.${hostname}
cat > "$maildir/tmp/$name" <<END
From: Mail server <postmaster@${domains[0] ?? hostname}>
To: <$account>
Subject: Your mailbox is $percent % full
Date: $(date -u '+%a, %d %b %Y %H:%M:%S +0000')
Message-ID: <$name@${hostname}>
Auto-Submitted: auto-generated

The mailbox $account is $percent % full. Once it is full, new mail is refused,
and the senders are told to try again later.

Delete mail that you no longer need, and empty the folder Trash. If you need
more room, ask the administrator of the server.
END
mv "$maildir/tmp/$name" "$maildir/new/$name"
`;
  return renderedScript(WARNING_SCRIPT, text);
}
