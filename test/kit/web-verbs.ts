/** The verbs that the web may use, by right: repeated here beside their declarations, so that opening one takes two changes. */
export const BY_RIGHT = {
  /** Without a scope. */
  anyone: words("caller health passkey_challenge prove sign_in sign_in_mailbox sign_in_passkey sign_out watch"),
  viewer: words(`
    account_state alerts_list allow_list certificate checks dns_check fail2ban firewall greylist_list held_list protection
    queue_list spam_allow_list upkeep`),
  /** In addition to those of a viewer. */
  operator: words(`
    allow_add allow_remove ban cleanup greylist_pause greylist_resume spam_allow_add spam_allow_remove unban`),
  /** In addition to those of an operator. */
  owner: words(`
    access_review account_details account_list account_suspend alerts_test alias_list app_password_remove app_passwords
    audit_list audit_verify encryption factor_list forwarding incident_list passkey_list prove_passkey queue_flush queue_hold
    queue_release quota_set retention session_list settings_list settings_preview token_list totp_confirm vacation`),
  /** Those of an owner that need a fresh proof. */
  proven: words(`
    account_create account_remove account_resume account_set_password accounts_import alias_add alias_block alias_remove
    app_password_add forward_set held_drop held_release networks_add networks_remove passkey_add passkey_begin passkey_remove
    queue_delete queue_return recovery_renew session_end session_end_all settings_apply settings_undo token_create
    token_revoke totp_begin totp_remove vacation_set`),
  /** Only the user of a mailbox. */
  mailbox: words("my_addresses my_client my_mailbox my_password my_senders my_sessions my_sessions_end"),
};

export const WEB_VERBS: readonly string[] = Object.values(BY_RIGHT).flat().toSorted();

/** What users may do to their own mailbox, beyond `mailbox`. Kept by hand as well. */
export const BY_RIGHT_TO_OWN = {
  free: words(`
    app_password_remove app_passwords forwarding greylist_pause greylist_resume spam_allow_add spam_allow_remove vacation`),
  proven: words("app_password_add forward_set vacation_set"),
};

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
