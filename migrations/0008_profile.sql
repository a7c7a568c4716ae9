-- Whether an account shows its address to others.
ALTER TABLE accounts ADD COLUMN is_email_public BOOLEAN NOT NULL DEFAULT FALSE;
