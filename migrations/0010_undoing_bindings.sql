-- What accepting an invitation gave or raised, so that undoing it takes back exactly that. Whoever else writes such a row
-- takes it over: then it no longer belongs to the invitation.
ALTER TABLE collaborators ADD COLUMN invite_id {{key}} REFERENCES agent_invites (id);
ALTER TABLE collaborators ADD COLUMN permission_before BIGINT CHECK (permission_before BETWEEN 1 AND 5);
ALTER TABLE team_members ADD COLUMN invite_id {{key}} REFERENCES agent_invites (id);
ALTER TABLE team_members ADD COLUMN role_before TEXT CHECK (role_before IN ('member', 'maintainer'));
ALTER TABLE organization_members ADD COLUMN invite_id {{key}} REFERENCES agent_invites (id);
