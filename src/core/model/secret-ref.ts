/** A secret is only ever named, never written, in a policy: a systemd credential, a file, or an environment variable. */
export type SecretRef = { readonly credential: string } | { readonly file: string } | { readonly env: string };
