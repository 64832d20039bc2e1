-- Return how long a command rests after so many attempts: doubled each time, at most a minute.
CREATE OR REPLACE FUNCTION public.backoff(attempts integer)
RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT least(interval '1 minute', interval '0.2 seconds' * 2 ^ least(attempts, 10))
$$;
