"""OpenTelemetry spans: one for each operation and one for each of its statements, never for a field.

They are made once a request was answered, of what was noted of it, and sent by a thread of OpenTelemetry's own. It is
an extra (`./certgate install tracing`).
"""

import os
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.telemetry.logs import redacted
from gateway.telemetry.requests import Request

_SEND_SECONDS = 5


class Traces:
    """Sends spans to that address. What else there is to be said of it, OpenTelemetry's own variables say."""

    def __init__(self, url: str, version: str, database: str) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME", "certgate")
        resource = Resource.create({SERVICE_NAME: name, SERVICE_VERSION: version})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=_SEND_SECONDS)))
        self._tracer = self._provider.get_tracer("certgate", version)
        self._propagator = TraceContextTextMapPropagator()
        self._database = database

    def __call__(self, request: Request) -> None:
        """Makes the spans of a request. Whether they are recorded, its client or a sampler says."""
        sent = {str(name, "latin-1"): str(value, "latin-1") for name, value in request.scope.get("headers", ())}
        of_client = self._propagator.extract(sent)
        asked = request.asked
        told = {f"certgate.{name}": value for name, value in request.told().items() if value != ""}
        about = {
            "http.request.method": request.scope["method"],
            "http.response.status_code": request.status,
            **({"graphql.operation.name": redacted(asked.name)} if asked.name else {}),
        }
        # Spans have the time of day, and what was noted a clock that never jumps.
        offset = time.time() - time.perf_counter()
        name = " ".join(part for part in (asked.face, asked.operation) if part) or request.scope["method"]
        span = self._tracer.start_span(
            name, of_client, SpanKind.SERVER, {**told, **about}, start_time=_nanoseconds(request.began + offset)
        )
        if span.is_recording():
            within = set_span_in_context(span, of_client)
            for noted in request.notes.statements:
                sql = noted.statement.sql
                of_database = {"db.system.name": self._database, "db.query.text": sql}
                started = _nanoseconds(noted.began + offset)
                child = self._tracer.start_span(
                    sql.split(maxsplit=1)[0], within, SpanKind.CLIENT, of_database, start_time=started
                )
                child.end(_nanoseconds((noted.ended or request.ended) + offset))
        if request.status >= 500:
            span.set_status(Status(StatusCode.ERROR, request.code))
        span.end(_nanoseconds(request.ended + offset))

    def stop(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
