# The engine's image, upon the page's:  docker build -t vision .  &&  docker build -t vision-engine -f deploy/engine.Dockerfile .
FROM vision
USER root
# KubeRay asks a pod whether it is well by wget.
RUN apt-get update && apt-get install -y --no-install-recommends wget && rm -rf /var/lib/apt/lists/*
USER demo
ENV RAY_USAGE_STATS_ENABLED=0
COPY --chown=demo:demo requirements-engine.txt ./
RUN pip install --no-cache-dir -r requirements-engine.txt -c constraints.txt
