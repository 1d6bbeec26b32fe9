"""QUERY: a pool read once and scored in shards of constant memory, by as many processes as there are."""
