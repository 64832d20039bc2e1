"""The read models: one file a question. All of it may be dropped and rebuilt."""

from readmodels import order_list

ALL = (order_list.projection,)
