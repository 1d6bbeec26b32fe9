"""Tables that only the service writes; it makes them when it first starts on a home."""

from al_platform.catalog.connection import Transaction

_CREATE = """
CREATE SEQUENCE IF NOT EXISTS audit_numbers;

CREATE TABLE IF NOT EXISTS audit_log (
    number BIGINT PRIMARY KEY DEFAULT nextval('audit_numbers'),
    happened_at TIMESTAMP NOT NULL,
    actor VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    detail JSON NOT NULL
);

CREATE TABLE IF NOT EXISTS api_keys (
    key_id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    secret_hash VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP,
    last_used_at TIMESTAMP,
    revision INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS round_runs (
    round_id VARCHAR PRIMARY KEY,
    state VARCHAR NOT NULL,
    submitted_by VARCHAR NOT NULL,
    submitted_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL,
    stop_requested BOOLEAN NOT NULL,
    message VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS round_requests (
    request_id VARCHAR PRIMARY KEY,
    request JSON NOT NULL,
    submitted_by VARCHAR NOT NULL,
    submitted_at TIMESTAMP NOT NULL,
    round_id VARCHAR
);

CREATE TABLE IF NOT EXISTS loop_runs (
    loop_id VARCHAR PRIMARY KEY,
    state VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    message VARCHAR NOT NULL,
    next_at TIMESTAMP
);

CREATE TABLE IF NOT EXISTS loop_rounds (
    loop_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    record JSON NOT NULL,
    PRIMARY KEY (loop_id, number)
);

CREATE TABLE IF NOT EXISTS operations (
    operation_id VARCHAR PRIMARY KEY,
    state VARCHAR NOT NULL,
    record JSON NOT NULL,
    asked_at TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS idempotency_keys (
    actor VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    request_hash VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (actor, key)
);
"""


def ensure_service_tables(tx: Transaction) -> None:
    """Make the tables of the service where they are not."""
    tx.execute(_CREATE)
