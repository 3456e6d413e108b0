"""The schema of rag's database, by Alembic."""
