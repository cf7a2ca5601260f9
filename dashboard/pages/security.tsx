import { PasskeysCard } from "./passkeys-card.tsx";
import { TotpCard } from "./totp-card.tsx";

/** How the reader signs in: what the sign-in asks for beside the password, or in its place. */
export function Security() {
  return (
    <>
      <TotpCard />
      <PasskeysCard />
    </>
  );
}
