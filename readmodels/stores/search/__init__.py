"""The search store: lists as documents in Elasticsearch or OpenSearch."""
