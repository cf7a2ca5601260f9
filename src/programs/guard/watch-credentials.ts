import { RECOVERY_CODES } from "../../guard/access/one-time-codes.ts";
import type { CredentialStore, FactorStore, RecoveryStore } from "../../guard/admin-ports.ts";
import type { Notices } from "../../guard/ports.ts";

type Parts = Readonly<{
  notices: Notices;
  credentials: Pick<CredentialStore, "adminPasswordHash">;
  factors: Pick<FactorStore & RecoveryStore, "totp" | "recoveryLeft">;
}>;

/** With this many or fewer there is a notice. */
const FEW_CODES = 3;

/** Reports a dashboard without a password or with few recovery codes. Call it about every second. */
export function lookAtCredentials({ notices, credentials, factors }: Parts): void {
  if (credentials.adminPasswordHash() === null) notices.raise("dashboard_password_unset", "");
  else notices.clear("dashboard_password_unset");
  const left = factors.totp() === null ? null : factors.recoveryLeft();
  if (left !== null && left <= FEW_CODES) notices.raise("recovery_codes_few", `${left} of ${RECOVERY_CODES}`);
  else notices.clear("recovery_codes_few");
}
