import type { Host } from "./host.ts";
import { authenticate, openSubmission, tryLogIn } from "./mail.ts";
import { PASSWORD } from "./product.ts";

/** An address within the networks that tests allow, and one outside of them. */
export const [HOME, AWAY] = ["198.51.100.70", "198.51.100.90"];

type SignIn = (name: string, password?: string, from?: string) => Promise<boolean>;

/** Whether an account can sign in: by IMAP, and by submission. */
export function signInsFrom(host: Host): Readonly<{ signsIn: SignIn; submits: SignIn }> {
  const signsIn = async (name: string, password = PASSWORD, from = HOME): Promise<boolean> =>
    (await tryLogIn(host, from, name, password)).startsWith("OK");
  const submits = async (name: string, password = PASSWORD, from = HOME): Promise<boolean> => {
    using dialog = await openSubmission(host, from, 465);
    return (await authenticate(dialog, name, password)).code === 235;
  };
  return { signsIn, submits };
}
