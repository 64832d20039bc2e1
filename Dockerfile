# One image for every process of the shop; compose.yaml starts them. Not run by the
# project's own checks: they have no engine for it. docs/containers.md says what to expect.
FROM python:3.11-slim-bookworm

# What requirements.lock pins, with its hashes; wheels only, so nothing is compiled.
WORKDIR /shop
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes \
    --requirement requirements.lock

COPY . ./
# Keys and the schedule of beat lie in /state, which all processes of a shop share.
RUN useradd --system --uid 10001 --home-dir /state recount \
    && mkdir /state \
    && chown recount /state
USER recount
VOLUME /state
ENV STATE_DIR=/state \
    PYTHONPATH=/shop \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

ENTRYPOINT ["/shop/docs/containers/entrypoint.sh"]
CMD ["honcho", "start", "web"]
