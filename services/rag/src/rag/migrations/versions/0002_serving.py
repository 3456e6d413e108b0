"""The serving table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "serving", sa.Column("id", sa.Integer, primary_key=True), sa.Column("serving", sa.Text, nullable=False)
    )


def downgrade() -> None:
    op.drop_table("serving")
