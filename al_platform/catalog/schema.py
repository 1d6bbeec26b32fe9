"""Tables of the catalog and the version that names their layout.

Tables of millions of rows (frames, embeddings) have no primary key: its index takes in 70,000 rows a second,
the table 3 million. `bulk` refuses what a key would refuse, and `check` verifies it.
"""

SCHEMA_VERSION = 4

CREATE = """
CREATE TABLE meta (schema_version INTEGER NOT NULL, created_at TIMESTAMP NOT NULL, ingests BIGINT NOT NULL);

CREATE TABLE sessions (
    session_id VARCHAR PRIMARY KEY,
    dataset VARCHAR NOT NULL,
    started_at TIMESTAMP,
    latitude DOUBLE,
    longitude DOUBLE
);

CREATE TABLE frames (
    frame_id VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    session_id VARCHAR NOT NULL,
    frame_number BIGINT NOT NULL,
    timestamp_s DOUBLE,
    latitude DOUBLE,
    longitude DOUBLE,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    brightness FLOAT,
    sharpness FLOAT,
    clipped FLOAT,
    tier VARCHAR NOT NULL,
    image_hash VARCHAR NOT NULL,
    image_size BIGINT NOT NULL,
    media_type VARCHAR NOT NULL,
    tag_set INTEGER NOT NULL,
    own_tags VARCHAR,
    origin VARCHAR NOT NULL
);

CREATE TABLE tag_names (name VARCHAR PRIMARY KEY, shared BOOLEAN NOT NULL);

CREATE TABLE tag_sets (tag_set INTEGER NOT NULL, tags VARCHAR NOT NULL);

INSERT INTO tag_sets VALUES (0, '{}');

CREATE TABLE embeddings (
    encoder_id VARCHAR NOT NULL,
    frame_id VARCHAR NOT NULL,
    vector FLOAT[] NOT NULL
);

CREATE TABLE scenarios (
    scenario_id VARCHAR PRIMARY KEY,
    dataset VARCHAR NOT NULL,
    session_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL,
    steps INTEGER NOT NULL,
    agents INTEGER NOT NULL,
    vehicles INTEGER NOT NULL,
    pedestrians INTEGER NOT NULL,
    cyclists INTEGER NOT NULL,
    lights INTEGER NOT NULL,
    stop_signs INTEGER NOT NULL,
    route_m DOUBLE NOT NULL,
    driven_m DOUBLE NOT NULL,
    shard VARCHAR NOT NULL,
    shard_row INTEGER NOT NULL,
    tags VARCHAR NOT NULL,
    report VARCHAR NOT NULL
);

CREATE TABLE scenario_sources (source_id VARCHAR PRIMARY KEY, record VARCHAR NOT NULL);

CREATE TABLE annotations (
    annotation_id VARCHAR PRIMARY KEY,
    item_id VARCHAR NOT NULL,
    task_id VARCHAR,
    revision INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    annotation JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE task_labels (
    task_id VARCHAR NOT NULL,
    annotation_id VARCHAR NOT NULL,
    PRIMARY KEY (task_id, annotation_id)
);

CREATE TABLE dataset_versions (
    version_id VARCHAR PRIMARY KEY,
    parent_id VARCHAR,
    manifest_hash VARCHAR NOT NULL,
    items BIGINT NOT NULL,
    added BIGINT NOT NULL,
    purpose VARCHAR NOT NULL,
    round_id VARCHAR,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE pools (
    pool_id VARCHAR PRIMARY KEY,
    filter VARCHAR NOT NULL,
    manifest_hash VARCHAR NOT NULL,
    frames BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE encoders (
    encoder_id VARCHAR PRIMARY KEY,
    family VARCHAR NOT NULL,
    pool_id VARCHAR NOT NULL,
    blob_hash VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE ensembles (
    ensemble_id VARCHAR PRIMARY KEY,
    dataset_version_id VARCHAR NOT NULL,
    encoder_id VARCHAR NOT NULL,
    weights_hash VARCHAR NOT NULL,
    ensemble JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE policies (
    policy_id VARCHAR PRIMARY KEY,
    dataset_version_id VARCHAR NOT NULL,
    parent_id VARCHAR,
    weights_hash VARCHAR NOT NULL,
    curve_hash VARCHAR NOT NULL,
    policy JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE suites (
    suite_id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL UNIQUE,
    filter VARCHAR NOT NULL,
    scenarios BIGINT NOT NULL,
    scenarios_hash VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE evaluations (
    evaluation_id VARCHAR PRIMARY KEY,
    policy_id VARCHAR NOT NULL,
    suite_id VARCHAR NOT NULL,
    spec VARCHAR NOT NULL,
    failure DOUBLE NOT NULL,
    behind DOUBLE NOT NULL,
    evaluation JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE licence_specs (name VARCHAR PRIMARY KEY, spec JSON NOT NULL, created_at TIMESTAMP NOT NULL);

CREATE TABLE licences (
    licence_id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    policy_id VARCHAR NOT NULL,
    evaluation_id VARCHAR NOT NULL,
    issued BOOLEAN NOT NULL,
    licence JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE metrics (
    ensemble_id VARCHAR NOT NULL,
    test_version_id VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    class_name VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    PRIMARY KEY (ensemble_id, test_version_id, metric, class_name)
);

CREATE TABLE score_sets (
    score_id VARCHAR PRIMARY KEY,
    ensemble_id VARCHAR NOT NULL,
    pool_id VARCHAR NOT NULL,
    frames BIGINT NOT NULL,
    formula VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE score_shards (
    score_id VARCHAR NOT NULL,
    shard INTEGER NOT NULL,
    class_name VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    minimum DOUBLE,
    maximum DOUBLE,
    PRIMARY KEY (score_id, shard, class_name)
);

CREATE TABLE loops (
    loop_id VARCHAR PRIMARY KEY,
    spec JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE rounds (
    round_id VARCHAR PRIMARY KEY,
    loop_id VARCHAR,
    state VARCHAR NOT NULL,
    spec JSON NOT NULL,
    ensemble_id VARCHAR,
    score_id VARCHAR,
    dataset_version_id VARCHAR,
    message VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE tasks (
    task_id VARCHAR PRIMARY KEY,
    round_id VARCHAR NOT NULL,
    queue VARCHAR NOT NULL,
    item_id VARCHAR NOT NULL,
    for_class VARCHAR NOT NULL,
    rank INTEGER NOT NULL,
    score DOUBLE NOT NULL,
    state VARCHAR NOT NULL
);

CREATE TABLE selections (
    round_id VARCHAR PRIMARY KEY,
    record JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE answers (
    task_id VARCHAR NOT NULL,
    answer_id VARCHAR NOT NULL,
    changed_at VARCHAR NOT NULL,
    annotator VARCHAR NOT NULL,
    seconds DOUBLE,
    answer JSON NOT NULL,
    PRIMARY KEY (task_id, answer_id, changed_at)
);

CREATE TABLE step_runs (
    round_id VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    seconds DOUBLE NOT NULL,
    cached BOOLEAN NOT NULL,
    outputs JSON NOT NULL,
    environment JSON NOT NULL,
    PRIMARY KEY (round_id, step)
);

CREATE TABLE experiments (
    experiment_id VARCHAR PRIMARY KEY,
    spec JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE experiment_points (
    experiment_id VARCHAR NOT NULL,
    arm VARCHAR NOT NULL,
    seed INTEGER NOT NULL,
    round_index INTEGER NOT NULL,
    round_id VARCHAR,
    point JSON NOT NULL,
    PRIMARY KEY (experiment_id, arm, seed, round_index)
);
"""
