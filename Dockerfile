# The page in a container:  docker build -t vision .  &&  docker run --rm -p 7860:7860 vision
# compose.yaml puts a proxy with TLS before it.
FROM python:3.12-slim-bookworm

# PyTorch's own index has wheels without CUDA, a fifth of the others' size. A builder that cannot reach it, or a machine
# with a GPU, takes the package index alone: --build-arg TORCH_INDEX=
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# Networks whose weights are fetched now, for a container that never asks for any: --build-arg NETWORKS="resnet50 alexnet"
ARG NETWORKS=""

RUN useradd --create-home --uid 1000 demo
USER demo
RUN mkdir /home/demo/app /home/demo/weights
WORKDIR /home/demo/app

ENV PATH=/home/demo/venv/bin:$PATH \
    TORCH_HOME=/home/demo/weights \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_NUM_PORTS=1 \
    GRADIO_ANALYTICS_ENABLED=False \
    PYTHONUNBUFFERED=1

# What changes seldom comes first: these layers are built again only where the requirements have changed.
RUN python -m venv /home/demo/venv
COPY --chown=demo:demo requirements.txt constraints.txt ./
RUN pip install --no-cache-dir torch torchvision -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"}
RUN pip install --no-cache-dir -r requirements.txt -c constraints.txt
COPY --chown=demo:demo app.py README.md LICENSE ./
COPY --chown=demo:demo demo/ demo/
RUN for network in $NETWORKS; do python -m demo.models.weights "$network" || exit 1; done

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=8)"]
CMD ["python", "app.py"]
