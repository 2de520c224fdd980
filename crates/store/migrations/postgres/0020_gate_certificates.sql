-- How the certificate of a webhook is, as it said last (JSON): until when it holds, and who would not take it.
ALTER TABLE admission_gate ADD COLUMN certificate TEXT;
