"""
An event store on PostgreSQL: a log, a journal of commands, and readers of the log.

It knows no domain: whoever lifts it out brings deciders and events of their own and
calls `eventstore.sql.install` once.
"""
